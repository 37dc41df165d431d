"""A run that was interrupted, in a mock environment: what is done is not done again."""

from __future__ import annotations

import pytest

from anabranch.environment import Invocation
from anabranch.lifecycle import CommandStarted, Merged, Moved, Redefined, verify
from anabranch.testing import MockEnvironment
from anabranch.values import HostError, RunStatus, StepStatus
from anabranch.workflow import digest, to_data
from tests.program.crashes import crashed, resume
from tests.program.test_program import TEXT, environment, merged, workflow


def invocations(env: MockEnvironment) -> list[Invocation]:
    return [asked for asked in env.asked("run") if isinstance(asked, Invocation)]


def test_a_merge_that_was_done_and_not_told_is_not_done_again() -> None:
    env = crashed(environment(), lambda payload: isinstance(payload, Merged))
    assert ["agent-0"] == merged(env)
    ended = resume(env)
    assert ["agent-0", "agent-1", "agent-2", "agent-3"] == merged(ended)
    subjects = ended.journal.state.subjects
    assert {StepStatus.COMPLETED} == {subjects[f"agent-{n}"].status for n in range(4)}
    assert () == verify(ended.journal.events, state=ended.journal.state)


def test_what_was_in_flight_begins_again_in_a_new_worktree_under_the_same_key() -> None:
    env = crashed(
        environment(),
        lambda payload: (
            isinstance(payload, CommandStarted) and payload.subject == "agent-1/step[1]"
        ),
        after=True,
    )
    first = next(i for i in invocations(env) if i.label == "agent-1/step[0]")
    ended = resume(env)
    again = [i for i in invocations(ended) if i.label.startswith("agent-1/take[2]")]
    assert ["agent-1/take[2]/step[0]", "agent-1/take[2]/step[1]"] == [i.label for i in again]
    keys = [i.env["ANABRANCH_IDEMPOTENCY_KEY"] for i in (first, again[0])]
    assert ["r1/agent-1/step[0]", "r1/agent-1/step[0]"] == keys
    subjects = ended.journal.state.subjects
    assert 1 == subjects["agent-1"].attempt
    assert StepStatus.CANCELLED is subjects["agent-1/step[1]"].status


def test_an_agent_whose_steps_were_all_done_is_closed_and_not_run_again() -> None:
    env = crashed(
        environment(),
        lambda payload: payload == Moved(subject="agent-0", to=StepStatus.VALIDATING),
    )
    ended = resume(env)
    assert not [i for i in invocations(ended) if "take" in i.label and "agent-0" in i.label]
    assert 1 == merged(ended).count("agent-0")
    assert {} == ended.worktrees.alive


def test_a_run_whose_worktree_is_gone_says_what_to_do() -> None:
    env = crashed(environment(), lambda payload: isinstance(payload, Merged))
    env.worktrees.alive.clear()
    with pytest.raises(
        HostError,
        match=r"git merge --no-overwrite-ignore anabranch/r1/result`.*`anabranch cancel r1",
    ):
        resume(env)
    assert RunStatus.INTERRUPTED is env.journal.state.status


@pytest.mark.parametrize("other", [True, False])
def test_a_run_that_goes_on_as_another_workflow_says_as_which(other: bool) -> None:
    env = crashed(environment(), lambda payload: isinstance(payload, Merged))
    flow = workflow(TEXT.replace("count ", "tell ")) if other else workflow()
    resume(env, flow)
    told = [e.payload for e in env.journal.events if isinstance(e.payload, Redefined)]
    assert ([digest(flow)] if other else []) == [payload.digest for payload in told]
    created = env.journal.state.created
    assert created is not None
    assert (digest(flow), to_data(flow)) == (created.digest, created.definition)
