from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from anabranch.planning.resume import (
    AgentAction,
    AgentProgress,
    RunOutline,
    RunProgress,
    StepProgress,
    remaining_work,
)
from anabranch.testing.strategies.planning import run_outlines, run_progresses

runs = run_outlines().flatmap(lambda run: st.tuples(st.just(run), run_progresses(run)))


@given(runs)
def test_every_agent_has_one_thing_left_to_do(run: tuple[RunOutline, RunProgress]) -> None:
    outline, progress = run
    left = remaining_work(outline, outline, progress)
    assert outline.assignments == tuple(agent.assignment for agent in left.agents)


@given(runs)
def test_nothing_that_is_completed_is_done_again(run: tuple[RunOutline, RunProgress]) -> None:
    outline, progress = run
    left = remaining_work(outline, outline, progress)
    done = set(AgentProgress) - {AgentProgress.PENDING, AgentProgress.BEGUN}
    started = left.to_do(AgentAction.START, AgentAction.START_AGAIN)
    assert [] == [a for a in started if progress.agents.get(a.id) in done]
    merged = left.to_do(AgentAction.MERGE, AgentAction.CHECK_MERGE)
    assert [] == [a for a in merged if progress.agents.get(a.id) is AgentProgress.COMPLETED]
    assert [] == [n for n in left.setup if progress.setup.get(n) is StepProgress.COMPLETED]
    assert [] == [n for n in left.reduce if progress.reduce.get(n) is StepProgress.COMPLETED]


@given(runs)
def test_nothing_that_failed_is_merged_or_started(run: tuple[RunOutline, RunProgress]) -> None:
    outline, progress = run
    left = remaining_work(outline, outline, progress)
    failed = {n for n, at in progress.agents.items() if at is AgentProgress.FAILED}
    idle = {assignment.id for assignment in left.to_do(AgentAction.NOTHING)}
    assert failed <= idle


@given(runs)
def test_once_all_that_was_left_is_done_nothing_is_left(
    run: tuple[RunOutline, RunProgress],
) -> None:
    outline, progress = run
    left = remaining_work(outline, outline, progress)
    assume(not left.failed)
    done = RunProgress(
        setup={**progress.setup, **dict.fromkeys(left.setup, StepProgress.COMPLETED)},
        reduce={**progress.reduce, **dict.fromkeys(left.reduce, StepProgress.COMPLETED)},
        agents={
            **progress.agents,
            **{
                agent.assignment.id: AgentProgress.COMPLETED
                for agent in left.agents
                if agent.action is not AgentAction.NOTHING
            },
        },
    )
    rest = remaining_work(outline, outline, done)
    assert ((), (), ()) == (rest.setup, rest.reduce, rest.in_doubt)
    assert outline.assignments == rest.to_do(AgentAction.NOTHING)


@given(runs)
def test_what_is_in_doubt_is_exactly_what_was_begun(run: tuple[RunOutline, RunProgress]) -> None:
    outline, progress = run
    begun = [
        *(at for at in progress.setup.values() if at is StepProgress.BEGUN),
        *(at for at in progress.reduce.values() if at is StepProgress.BEGUN),
        *(at for at in progress.agents.values() if at in ("begun", "merging")),
    ]
    assert len(begun) == len(remaining_work(outline, outline, progress).in_doubt)


@given(runs)
def test_the_same_run_written_otherwise_is_the_same_run(
    run: tuple[RunOutline, RunProgress],
) -> None:
    outline, progress = run
    assert isinstance(outline.workflow, Mapping)
    backwards = evolve(outline, workflow=dict(reversed(list(outline.workflow.items()))))
    assert remaining_work(outline, outline, progress) == remaining_work(
        outline, backwards, progress
    )
