from __future__ import annotations

from datetime import timedelta

import pytest

from anabranch.lifecycle import (
    CommandEnded,
    CommandStarted,
    Declared,
    Event,
    Folding,
    InvalidTransition,
    Merged,
    MergeStarted,
    Moved,
    RunMoved,
    RunState,
    apply,
    fold,
)
from anabranch.values import RunStatus, StepStatus
from tests.lifecycle.histories import CREATED, NOON, history, moves


def test_a_run_that_went_well_folds_to_completed() -> None:
    s = StepStatus
    to_the_end = moves("a", s.QUEUED, s.RUNNING, s.VALIDATING, s.COMPLETED)
    running, ended = RunMoved(to=RunStatus.RUNNING), RunMoved(to=RunStatus.COMPLETED)
    state = fold(history(CREATED, running, Declared(subject="a"), *to_the_end, ended))
    subject = state.subjects["a"]
    assert state.status == RunStatus.COMPLETED
    assert (subject.status, subject.attempt, subject.worker) == (s.COMPLETED, 1, None)
    assert NOON + timedelta(seconds=5) == subject.started_at
    assert NOON + timedelta(seconds=7) == subject.ended_at


def test_the_worker_is_known_exactly_while_the_step_runs() -> None:
    s = StepStatus
    events = history(Declared(subject="a"), *moves("a", s.QUEUED, s.RUNNING, s.VALIDATING))
    workers = [fold(events[:n]).subjects["a"].worker for n in range(1, 5)]
    assert workers == [None, None, "w-0", None]


def test_an_illegal_transition_is_refused_with_the_whole_story() -> None:
    s = StepStatus
    events = history(Declared(subject="a"), *moves("a", s.QUEUED, s.SKIPPED, s.RUNNING))
    with pytest.raises(InvalidTransition) as caught:
        fold(events)
    assert str(caught.value) == (
        "a: skipped → running is not a legal transition\n"
        "     1   +0.000s  declared\n"
        "     2   +1.000s  moved to=queued  (because of 1)\n"
        "     3   +2.000s  moved to=skipped  (because of 2)\n"
        "  refused:\n"
        "     4   +3.000s  moved to=running attempt=1 worker=w-0  (because of 3)\n"
        "  expected: nothing: skipped is an end"
    )


def test_what_happened_since_the_last_transition_does_not_change_where_it_stood() -> None:
    s = StepStatus
    ran, started = moves("a", s.QUEUED, s.RUNNING), CommandStarted(subject="a", command="make")
    events = history(Declared(subject="a"), *ran, started, *moves("a", s.COMPLETED))
    with pytest.raises(InvalidTransition, match="a: running → completed is not"):
        fold(events)


@pytest.mark.parametrize(
    "events",
    [
        history(CREATED, CREATED),
        history(Declared(subject="a"), Declared(subject="a")),
        history(Declared(subject="a", parent="b")),
        history(Moved(subject="a", to=StepStatus.QUEUED)),
        history(CommandStarted(subject="a", command="make")),
        history(RunMoved(to=RunStatus.RUNNING)),
        history(CREATED, RunMoved(to=RunStatus.COMPLETED)),
    ],
)
def test_what_was_never_or_already_declared_is_refused(events: list[Event]) -> None:
    state = fold(events[:-1])
    with pytest.raises(InvalidTransition):
        apply(state, events[-1])


def test_an_intent_without_a_result_is_in_doubt() -> None:
    first = CommandStarted(subject="a", command="make", index=0)
    second = CommandStarted(subject="a", command="make test", index=1)
    merge = MergeStarted(subject="a", source="c1", target="b")
    events = history(
        Declared(subject="a"), first, second, CommandEnded(subject="a", index=0), merge
    )
    work = fold(events).subjects["a"].work
    assert ((second,), merge) == (work.in_doubt, work.merging)


def test_a_result_ends_the_doubt() -> None:
    merged = Merged(subject="a", target="b", before="c0", commit="c2")
    started = MergeStarted(subject="a", source="c1", target="b")
    work = fold(history(Declared(subject="a"), started, merged)).subjects["a"].work
    assert (None, merged) == (work.merging, work.merged)


def test_folding_does_not_change_the_state_it_began_from() -> None:
    events = history(Declared(subject="a"), *moves("a", StepStatus.QUEUED))
    before = fold(events[:1])
    fold(events[1:], before)
    assert fold(events[:1]) == before


def test_a_subject_that_came_with_what_is_refused_was_never_there() -> None:
    folding = Folding()
    folding.take_all(history(CREATED))
    with pytest.raises(InvalidTransition):
        folding.take_all(history(CREATED, *moves("b", StepStatus.COMPLETED))[1:])
    refused = history(CREATED, Declared(subject="b"), *moves("b", StepStatus.COMPLETED))
    with pytest.raises(InvalidTransition):
        folding.take_all(refused[1:])
    assert fold(history(CREATED)) == folding.state


def test_nothing_folds_to_the_empty_state() -> None:
    assert RunState() == fold([])
