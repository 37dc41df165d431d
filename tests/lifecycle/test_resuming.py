from __future__ import annotations

import pytest
from attrs import evolve

from anabranch.lifecycle import (
    Declared,
    DeliveryStarted,
    MergeFailed,
    MergeStarted,
    Payload,
    PhaseStarted,
    Resumption,
    RunCreated,
    RunMoved,
    fold,
    plan_resume,
)
from anabranch.planning import AgentAction
from anabranch.values import ConfigError, RunStatus, UsageError
from anabranch.workflow import Workflow, digest, map_phase, map_reduce, step, to_data
from tests.lifecycle.histories import AGAIN, BEGUN, C, F, Q, R, S, V, agent, history, merged, moves

FLOW = map_reduce(
    "tidy",
    setup=["make list", "make tools"],
    map=map_phase("files.json", [step("tidy ${item}", name="tidy", timeout="1m")]),
    reduce=["make report"],
)
CREATED = RunCreated(run="r-1", workflow="tidy", digest=digest(FLOW), definition=to_data(FLOW))
SETUP = [Declared(subject=f"setup[{n}]") for n in (0, 1)]
DONE = [payload for n in (0, 1) for payload in moves(f"setup[{n}]", Q, R, V, C)]
AGENTS = [agent(f"agent-{n}", merges=True) for n in range(3)]


def resumption(*payloads: Payload, workflow: Workflow | None = None) -> Resumption:
    return plan_resume(fold(history(CREATED, BEGUN, *payloads)), workflow)


def actions(*payloads: Payload) -> list[AgentAction]:
    found = resumption(*SETUP, *DONE, PhaseStarted(phase="map"), *AGENTS, *payloads)
    return [left.action for left in found.left.agents]


def test_a_run_that_wrote_only_its_creation_has_everything_left() -> None:
    found = resumption()
    assert ((0, 1), (), (0,)) == (found.left.setup, found.left.agents, found.left.reduce)
    assert (FLOW, False) == (found.workflow, found.agents_known)


def test_a_step_that_was_begun_is_left_and_in_doubt() -> None:
    found = resumption(*SETUP, *moves("setup[0]", Q, R, V, C), *moves("setup[1]", Q, R))
    assert ((1,), ("setup[1]",)) == (found.left.setup, found.left.in_doubt)


def test_a_step_that_was_only_queued_is_in_no_doubt() -> None:
    assert () == resumption(*SETUP, *moves("setup[0]", Q)).left.in_doubt


def test_a_step_that_was_skipped_is_not_left() -> None:
    assert (1,) == resumption(*SETUP, *moves("setup[0]", S)).left.setup


def test_a_step_that_failed_leaves_nothing_but_the_end_of_the_run() -> None:
    left = resumption(*SETUP, *moves("setup[0]", Q, R, F), *moves("setup[1]", S)).left
    assert ((), (), ("setup[0]",)) == (left.setup, left.reduce, left.failed)


def test_the_failure_of_an_optional_step_is_none() -> None:
    optional = evolve(SETUP[0], optional=True)
    left = resumption(optional, SETUP[1], *moves("setup[0]", Q, R, F)).left
    assert ((1,), ()) == (left.setup, left.failed)


def test_agents_that_may_not_all_be_announced_are_none() -> None:
    found = resumption(*SETUP, *DONE, PhaseStarted(phase="map"), *AGENTS[:2])
    assert (False, ()) == (found.agents_known, found.left.agents)


def test_each_agent_has_left_what_the_journal_says() -> None:
    expected = [AgentAction.START_AGAIN, AgentAction.START, AgentAction.NOTHING]
    assert expected == actions(*moves("agent-0", Q, R, AGAIN, Q), *moves("agent-2", Q, R, F))


def test_an_agent_that_worked_is_merged_and_one_whose_merge_was_begun_is_looked_at() -> None:
    worked = [move for name in ("agent-0", "agent-1") for move in moves(name, Q, R, V)]
    begun = MergeStarted(subject="agent-1", source="a", target="run")
    expected = [AgentAction.MERGE, AgentAction.CHECK_MERGE, AgentAction.START]
    assert expected == actions(*worked, begun)


def test_an_agent_whose_merge_has_a_result_is_closed() -> None:
    conflict = MergeFailed(subject="agent-1", fault="conflict")
    worked = [move for name in ("agent-0", "agent-1") for move in moves(name, Q, R, V)]
    expected = [AgentAction.CLOSE, AgentAction.CLOSE, AgentAction.START]
    assert expected == actions(*worked, merged("agent-0"), conflict)


def test_a_delivery_that_was_begun_is_in_doubt() -> None:
    assert ("deliver",) == resumption(*SETUP, *DONE, DeliveryStarted(branch="b")).left.in_doubt


def test_the_same_workflow_written_otherwise_is_taken_up() -> None:
    assert FLOW == resumption(workflow=evolve(FLOW)).workflow


def test_a_changed_workflow_is_refused_with_its_differences() -> None:
    changed = evolve(
        FLOW,
        setup=FLOW.setup[:1],
        map=evolve(
            FLOW.map,
            max_parallel=3,
            agent_template=(step("tidy ${item}", name="tidy", timeout="2m"),),
        ),
    )
    with pytest.raises(ConfigError) as caught:
        resumption(workflow=changed)
    assert [
        '- workflow.setup[1]: {"shell": "make tools"}',
        "~ workflow.map.agent_template[tidy].timeout: 60 -> 120",
        "+ workflow.map.max_parallel: 3",
    ] == [problem.value for problem in caught.value.problems]


def test_a_workflow_that_was_recorded_with_its_secrets_masked_is_the_same() -> None:
    masked = evolve(FLOW, setup=(step("login ***"),))
    created = evolve(CREATED, definition=to_data(masked))
    assert plan_resume(fold(history(created, BEGUN)), FLOW).workflow == masked


@pytest.mark.parametrize(
    ("created", "code"),
    [
        (evolve(CREATED, definition=None), "no-definition"),
        (evolve(CREATED, definition={"name": "tidy"}), "missing-key"),
    ],
)
def test_a_journal_that_does_not_hold_its_workflow_is_refused(
    created: RunCreated, code: str
) -> None:
    with pytest.raises(UsageError) as caught:
        plan_resume(fold(history(created, BEGUN)))
    assert code == caught.value.problems[0].code


def test_a_run_that_has_ended_is_refused() -> None:
    ended = RunMoved(to=RunStatus.FAILED)
    with pytest.raises(UsageError, match="nothing is left to resume"):
        resumption(ended)
