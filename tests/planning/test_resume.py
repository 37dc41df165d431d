from __future__ import annotations

import pytest
from attrs import evolve

from anabranch.planning.resume import (
    MAX_DIFFERENCES,
    AgentAction,
    AgentProgress,
    RunOutline,
    RunProgress,
    StepProgress,
    remaining_work,
)
from anabranch.planning.work import assign_items
from anabranch.values import ConfigError

RUN = RunOutline(
    workflow={"name": "tidy", "map": {"max_parallel": 5}},
    setup_steps=2,
    reduce_steps=1,
    assignments=assign_items(["a.py", "b.py", "c.py", "d.py", "e.py", "f.py", "g.py"]),
)
PROGRESS = RunProgress(
    setup={0: StepProgress.COMPLETED, 1: StepProgress.BEGUN},
    agents=dict(enumerate(AgentProgress)),
    reduce={0: StepProgress.BEGUN},
)


def refusals(now: RunOutline, progress: RunProgress = PROGRESS) -> list[str | None]:
    with pytest.raises(ConfigError) as caught:
        remaining_work(RUN, now, progress)
    return [problem.value for problem in caught.value.problems]


def test_each_agent_has_left_what_its_progress_says() -> None:
    expected = [
        AgentAction.START,
        AgentAction.START_AGAIN,
        AgentAction.MERGE,
        AgentAction.CHECK_MERGE,
        AgentAction.CLOSE,
        AgentAction.NOTHING,
        AgentAction.NOTHING,
    ]
    assert expected == [agent.action for agent in remaining_work(RUN, RUN, PROGRESS).agents]


def test_the_steps_that_are_not_completed_are_left_in_order() -> None:
    left = remaining_work(RUN, RUN, PROGRESS)
    assert ((1,), (0,)) == (left.setup, left.reduce)


def test_what_was_begun_and_has_no_end_is_named() -> None:
    expected = ("setup[1]", "agent-1", "agent-3 merge", "reduce[0]")
    assert expected == remaining_work(RUN, RUN, PROGRESS).in_doubt


def test_assignments_are_found_by_what_is_left_to_do() -> None:
    left = remaining_work(RUN, RUN, PROGRESS)
    to_start = left.to_do(AgentAction.START, AgentAction.START_AGAIN)
    assert ["agent-0", "agent-1"] == [assignment.agent_name for assignment in to_start]


def test_a_run_that_wrote_nothing_yet_has_everything_left() -> None:
    left = remaining_work(evolve(RUN, assignments=None), RUN, RunProgress())
    assert ((0, 1), (0,), ()) == (left.setup, left.reduce, left.in_doubt)
    assert RUN.assignments == left.to_do(AgentAction.START)


def test_the_items_that_the_run_recorded_count_while_setup_has_not_written_them_again() -> None:
    left = remaining_work(RUN, evolve(RUN, assignments=None), PROGRESS)
    assert RUN.assignments == tuple(agent.assignment for agent in left.agents)


def test_a_changed_workflow_is_refused_with_its_differences() -> None:
    now = evolve(RUN, workflow={"name": "tidy", "map": {"max_parallel": 9}, "env": {"A": "1"}})
    assert ["~ workflow.map.max_parallel: 5 -> 9", '+ workflow.env: {"A": "1"}'] == refusals(now)


def test_changed_items_are_refused_by_agent() -> None:
    now = evolve(RUN, assignments=assign_items(["a.py", "x.py", "c.py", "d.py", "e.py", "f.py"]))
    assert ['~ items.agent-1: "b.py" -> "x.py"', '- items.agent-6: "g.py"'] == refusals(now)


def test_of_very_many_differences_the_first_are_listed_and_the_rest_is_counted() -> None:
    now = evolve(RUN, assignments=assign_items(range(100)))
    listed = refusals(now)
    assert (MAX_DIFFERENCES + 1, "and 80 more") == (len(listed), listed[-1])


def test_a_step_that_failed_leaves_only_what_was_worked_on_and_the_end_of_the_run() -> None:
    failed = evolve(PROGRESS, reduce={0: StepProgress.FAILED}, delivering=True)
    left = remaining_work(RUN, RUN, failed)
    assert ((), (), ("reduce[0]",)) == (left.setup, left.reduce, left.failed)
    assert () == left.to_do(AgentAction.START, AgentAction.START_AGAIN)
    assert ("setup[1]", "agent-1", "agent-3 merge", "deliver") == left.in_doubt


def test_a_setup_that_failed_leaves_nothing_to_begin() -> None:
    left = remaining_work(RUN, RUN, RunProgress(setup={1: StepProgress.FAILED}))
    assert ((), (), ("setup[1]",)) == (left.setup, left.reduce, left.failed)
    assert {AgentAction.NOTHING} == {agent.action for agent in left.agents}


def test_a_journal_of_another_run_is_refused() -> None:
    progress = RunProgress(
        setup={2: StepProgress.COMPLETED},
        agents={9: AgentProgress.COMPLETED},
        reduce={1: StepProgress.BEGUN},
    )
    assert ["setup[2]", "agent-9", "reduce[1]"] == refusals(RUN, progress)


def test_the_last_refusal_says_what_to_do() -> None:
    with pytest.raises(
        ConfigError, match="hint: put it back, accept it with `--force`, or start a new run"
    ):
        remaining_work(RUN, evolve(RUN, workflow={}), PROGRESS)
