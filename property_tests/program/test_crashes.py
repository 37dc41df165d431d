"""Crash anywhere, lose what was not synced, resume: the laws hold as if nothing had happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from anabranch.environment import CommandOutput, Invocation
from anabranch.lifecycle import RunState, verify
from anabranch.testing import MockEnvironment, printed
from anabranch.values import StepStatus
from tests.program.crashes import Fuse, crashed, resume
from tests.program.test_program import environment

COMMANDS = {"count *": printed("counted"), "git *": printed(), "*": printed()}


def world(conflicts: Mapping[str, tuple[str, ...]], *, failing: bool) -> MockEnvironment:
    def shout(invocation: Invocation) -> CommandOutput:
        return printed(exit_code=int(failing and invocation.env["__anabranch_0"] == "b"))

    return environment(conflicts=conflicts, commands={"shout *": shout, **COMMANDS})


def result(state: RunState) -> tuple[object, Mapping[str, StepStatus]]:
    agents = {n: s.status for n, s in state.subjects.items() if "/" not in n and "agent" in n}
    return state.status, agents


def merges(env: MockEnvironment) -> Counter[str]:
    """How often each agent was merged."""
    trailers = (dict(trace.trailers) for _, trace in env.merges.made)
    return Counter(known["Anabranch-Agent"] for known in trailers if known)


@settings(max_examples=50)
@given(st.data(), st.booleans(), st.booleans())
def test_whatever_the_moments_the_run_ends_as_it_would_have(
    data: st.DataObject,
    failing: bool,
    clashing: bool,
) -> None:
    conflicts = {"agent-2": ("same.txt",)} if clashing else {}
    undisturbed = resume(world(conflicts, failing=failing))
    env = world(conflicts, failing=failing)
    for _ in range(data.draw(st.integers(1, 3), label="crashes")):
        fuse = Fuse(
            last=data.draw(st.integers(0, 90), label="call"), after=data.draw(st.booleans())
        )
        env = crashed(
            env,
            fuse=fuse,
            lost=lambda sure, written: data.draw(st.integers(sure, written), label="survive"),
        )
        assert () == verify(env.journal.events, state=env.journal.state)
        if not fuse.dead:
            break
    else:
        env = resume(env)
    events = env.journal.events
    assert () == verify(events, state=env.journal.state)
    assert result(undisturbed.journal.state) == result(env.journal.state)
    assert merges(undisturbed) == merges(env)
    assert {} == env.worktrees.alive
