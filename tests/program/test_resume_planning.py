"""What is left of a run, at every moment of its journal."""

from __future__ import annotations

from anabranch import run
from anabranch.lifecycle import RunState, SubjectKind, fold, plan_resume
from anabranch.planning import AgentAction
from anabranch.program import Identity, program
from anabranch.testing import mock_env, printed
from anabranch.values import RunStatus, StepStatus
from tests.program.test_program import ITEMS, workflow


def moments() -> list[RunState]:
    commands = {"shout *": printed(), "count *": printed(exit_code=1), "*": printed()}
    env = mock_env(files={"items.json": ITEMS}, commands=commands)
    run(program(workflow(), Identity(run="r1")), env)
    events = list(env.journal.events)
    states = [fold(events[:count]) for count in range(1, len(events) + 1)]
    return [state for state in states if state.status in (RunStatus.PENDING, RunStatus.RUNNING)]


def test_there_is_a_plan_at_every_moment_of_a_run() -> None:
    assert {"shout"} == {plan_resume(state, workflow()).workflow.name for state in moments()}


def test_what_is_completed_is_left_to_nobody() -> None:
    for state in moments():
        left = plan_resume(state).left
        idle = {agent.agent_name for agent in left.to_do(AgentAction.NOTHING)}
        completed = {
            name
            for name, subject in state.subjects.items()
            if subject.declared.kind is SubjectKind.AGENT and subject.status is StepStatus.COMPLETED
        }
        assert completed <= idle


def test_every_command_without_an_end_is_in_doubt() -> None:
    for state in moments():
        left = plan_resume(state).left
        for name, subject in state.subjects.items():
            if subject.work.in_doubt:
                assert (name in left.in_doubt) or (name.partition("/")[0] in left.in_doubt)
