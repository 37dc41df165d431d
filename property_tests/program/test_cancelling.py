"""Cancel a run that died anywhere: it ends, nothing is left over, and no commit is lost."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from anabranch.lifecycle import RUN_TERMINAL, STEP_TERMINAL, Merged, Payload, verify
from anabranch.testing import MockEnvironment
from anabranch.values import RunStatus, StepStatus
from property_tests.program.test_crashes import merges, world
from tests.program.crashes import Fuse, crashed, past_of


@st.composite
def dead_runs(draw: st.DrawFn) -> MockEnvironment:
    """Runs whose process died before they had ended or delivered."""
    fuse = Fuse(last=draw(st.integers(0, 90)), after=draw(st.booleans()))
    env = world({}, failing=draw(st.booleans()))
    env = crashed(env, fuse=fuse, lost=lambda sure, written: draw(st.integers(sure, written)))
    assume(_is_dead(env))
    return env


def _is_dead(env: MockEnvironment) -> bool:
    """Whether the journal knows of a run that is under way."""
    past = past_of(env)
    return past is not None and past.status not in RUN_TERMINAL and past.delivered is None


@settings(max_examples=50)
@given(dead_runs(), st.data())
def test_a_dead_run_is_cancelled_and_put_away(env: MockEnvironment, data: st.DataObject) -> None:
    before = merges(env)
    for _ in range(data.draw(st.integers(0, 2), label="crashes")):
        fuse = Fuse(
            last=data.draw(st.integers(0, 30), label="call"), after=data.draw(st.booleans())
        )
        alive, told = dict(env.worktrees.alive), len(env.journal.events)
        env = crashed(
            env,
            fuse=fuse,
            cancelling=True,
            lost=lambda sure, written: data.draw(st.integers(sure, written)),
        )
        if alive != env.worktrees.alive or len(env.journal.events) > told + 2:
            ended = env.journal.state.status in RUN_TERMINAL
            assert ended or env.journal.state.is_being_cancelled
        if env.journal.state.status in RUN_TERMINAL:
            break
    else:
        env = crashed(env, cancelling=True)
    state = env.journal.state
    assert RunStatus.CANCELLED is state.status
    assert () == verify(env.journal.events, state=state)
    assert not env.worktrees.alive
    assert before == merges(env)
    assert all(s.status in STEP_TERMINAL for s in state.subjects.values())


@settings(max_examples=50)
@given(dead_runs())
def test_what_an_agent_committed_and_nobody_merged_stays_on_its_branch(
    env: MockEnvironment,
) -> None:
    committed = {
        name
        for name, subject in env.journal.state.subjects.items()
        if subject.status is StepStatus.VALIDATING and "/" not in name
    }
    merged = merges(env)
    env = crashed(env, cancelling=True)
    kept = {branch.rpartition("/")[2] for branch in env.worktrees.branches}
    assert {name for name in committed if "agent" in name and not merged[name]} <= kept


@pytest.mark.parametrize("after", [False, True])
def test_a_run_whose_journal_lost_all_it_could_is_put_away_too(*, after: bool) -> None:
    for call in range(40):
        fuse = Fuse(last=call, after=after)
        env = crashed(world({}, failing=False), fuse=fuse, lost=lambda sure, _: sure)
        if _is_dead(env):
            assert {} == crashed(env, cancelling=True).worktrees.alive, call


def test_an_agent_that_was_merged_is_completed_though_its_run_is_cancelled() -> None:
    def merged(payload: Payload) -> bool:
        return isinstance(payload, Merged)

    # It is told with its completion, and the line of that is torn.
    env = crashed(world({}, failing=False), merged, after=True, lost=lambda _, written: written - 1)
    state = crashed(env, cancelling=True).journal.state
    done = [s for s in state.subjects.values() if s.work.merged is not None]
    assert [StepStatus.COMPLETED] == [subject.status for subject in done]
    assert RunStatus.CANCELLED is state.status
