from __future__ import annotations

import pytest
from attrs import evolve

from anabranch.lifecycle import (
    CONDITION_FALSE,
    EMPTY,
    INTERRUPTED,
    UPSTREAM_FAILED,
    Declared,
    Law,
    Moved,
    Payload,
    RunMoved,
    StopReason,
    StopRequested,
    fold,
    verify,
)
from anabranch.values import RunStatus, StepStatus
from tests.lifecycle.histories import (
    AGAIN,
    BEGUN,
    CREATED,
    ENDED,
    NOON,
    C,
    F,
    Q,
    R,
    S,
    T,
    V,
    X,
    agent,
    history,
    merged,
    moves,
    uncaused,
)

A, B = Declared(subject="a"), Declared(subject="b", needs=("a",))


def broken(*payloads: Payload) -> list[tuple[Law, str | None]]:
    return [(v.law, v.subject) for v in verify(uncaused(*payloads))]


def test_a_run_that_keeps_the_laws_has_no_violations() -> None:
    events = uncaused(
        CREATED,
        BEGUN,
        agent("a", merges=True),
        *moves("a", Q, R, V),
        merged("a"),
        *moves("a", C),
        ENDED,
    )
    assert () == verify(events, state=fold(events))


def test_an_empty_journal_keeps_the_laws() -> None:
    assert () == verify([], state=EMPTY)


# --- 1


def test_a_terminal_status_has_no_exit() -> None:
    assert [(Law.TRANSITIONS, "a")] == broken(A, *moves("a", Q, S), *moves("a", Q))


def test_a_subject_is_declared_once_and_first() -> None:
    assert [(Law.TRANSITIONS, "a")] * 2 == broken(*moves("a", Q), A, A)


def test_a_step_is_declared_after_what_it_runs_inside_of() -> None:
    step = Declared(subject="one/step[0]", parent="one")
    assert [(Law.TRANSITIONS, "one/step[0]")] == broken(step, agent("one"))


def test_a_run_goes_only_where_the_table_says() -> None:
    assert [(Law.TRANSITIONS, None)] == broken(CREATED, RunMoved(to=RunStatus.PARTIAL))


def test_nothing_moves_and_nothing_is_left_when_the_run_has_ended() -> None:
    found = broken(CREATED, BEGUN, A, Declared(subject="z"), *moves("a", Q), ENDED, *moves("a", S))
    assert [(Law.TRANSITIONS, "z"), (Law.TRANSITIONS, "a")] == found


# --- 2


def test_a_gap_in_the_numbers_is_told_once() -> None:
    events = uncaused(A, CREATED, *moves("a", Q, R))
    (violation,) = verify([events[0], *events[2:]])
    assert "event 3: a stands where event 2 should (law 2, FOLD)" == str(violation)


@pytest.mark.parametrize("cause", [0, 2, 3])
def test_a_cause_comes_before_what_it_leads_to(cause: int) -> None:
    events = uncaused(A, *moves("a", Q))
    (violation,) = verify([events[0], evolve(events[1], cause=cause)])
    assert Law.FOLD == violation.law


def test_a_state_that_is_not_the_fold_is_told() -> None:
    events = history(A, *moves("a", Q))
    assert [Law.FOLD] == [v.law for v in verify(events, state=fold(events[:1]))]


def test_a_journal_that_cannot_be_folded_is_in_no_state() -> None:
    events = history(A, *moves("a", Q, S, Q))
    laws = [v.law for v in verify(events, state=fold(events[:3]))]
    assert [Law.TRANSITIONS, Law.FOLD] == laws


# --- 3


def test_nothing_starts_before_what_it_needs_is_done() -> None:
    assert [(Law.DEPENDENCIES, "b")] == broken(A, B, *moves("a", Q, R), *moves("b", Q, R))


@pytest.mark.parametrize("end", [F, T, X])
def test_a_failure_is_no_completion_unless_it_is_optional(end: StepStatus) -> None:
    optional = evolve(A, optional=True)
    rest = [*moves("a", Q, R, end), *moves("b", Q, R)]
    assert [(Law.DEPENDENCIES, "b")] == broken(A, B, *rest)
    assert [] == broken(optional, B, *rest)


def test_a_step_whose_condition_was_false_holds_up_nobody() -> None:
    skipped = Moved(subject="a", to=S, reason=CONDITION_FALSE)
    assert [] == broken(A, B, skipped, *moves("b", Q, R))
    assert [(Law.DEPENDENCIES, "b")] == broken(A, B, *moves("a", S), *moves("b", Q, R))


# --- 4


def test_attempts_end_at_the_maximum() -> None:
    three = evolve(A, max_attempts=3)
    tries = moves("a", Q, R, AGAIN, Q, R, AGAIN, Q, R, F)
    assert [] == broken(three, *tries)
    assert [(Law.ATTEMPTS, "a")] == broken(evolve(A, max_attempts=2), *tries)


def test_a_retry_that_does_not_count_up_is_told() -> None:
    once = [*moves("a", Q, R), *moves("a", AGAIN, Q), *moves("a", R)]
    assert [(Law.ATTEMPTS, "a")] == broken(evolve(A, max_attempts=9), *once)


def test_an_interrupted_attempt_is_made_again_under_its_number() -> None:
    again = Moved(subject="a", to=AGAIN, reason=INTERRUPTED)
    assert [] == broken(A, *moves("a", Q, R), again, *moves("a", Q, R))


def test_a_start_has_a_number() -> None:
    start = Moved(subject="a", to=R, worker="w")
    assert [(Law.ATTEMPTS, "a")] == broken(A, *moves("a", Q), start)


# --- 5


def test_no_more_agents_run_than_the_limit() -> None:
    three = [agent(n) for n in "abc"]
    starts = [m for n in "abc" for m in moves(n, Q, R)]
    assert [(Law.LIMITS, "c")] == broken(CREATED, *three, *starts)


def test_what_has_stopped_running_makes_room() -> None:
    three = [agent(n) for n in "abc"]
    starts = [*moves("a", Q, R), *moves("b", Q, R), *moves("a", AGAIN), *moves("c", Q, R)]
    assert [] == broken(CREATED, *three, *starts)


def test_a_pool_is_not_over_committed() -> None:
    greedy = [Declared(subject=n, uses={"gpu": 1, "free": 9}) for n in "ab"]
    starts = [m for n in "ab" for m in moves(n, Q, R)]
    assert [(Law.LIMITS, "b")] == broken(CREATED, *greedy, *starts)


def test_an_agent_holds_what_it_uses_besides_its_place() -> None:
    greedy = [evolve(agent(n), uses={"gpu": 1}) for n in "ab"]
    starts = [m for n in "ab" for m in moves(n, Q, R)]
    assert [(Law.LIMITS, "b")] == broken(CREATED, *greedy, *starts)


# --- 6

ONE, TWO = agent("one"), agent("two")
ONE_FAILED = moves("one", Q, R, F)


def test_an_item_that_ends_because_another_failed_is_told() -> None:
    blaming = Moved(subject="two", to=S, reason=UPSTREAM_FAILED, upstream="one")
    assert [(Law.INDEPENDENCE, "two")] == broken(CREATED, ONE, TWO, *ONE_FAILED, blaming)


def test_the_cause_of_an_end_counts_as_blame() -> None:
    events = uncaused(CREATED, ONE, TWO, *ONE_FAILED, *moves("two", X))
    events[-1] = evolve(events[-1], cause=6)
    assert [(Law.INDEPENDENCE, "two")] == [(v.law, v.subject) for v in verify(events)]


def test_an_item_may_blame_what_it_needs() -> None:
    dependent = agent("two", needs=("between",))
    between = Declared(subject="between", needs=("one",))
    blaming = Moved(subject="two", to=S, reason=UPSTREAM_FAILED, upstream="one")
    assert [] == broken(CREATED, ONE, between, dependent, *ONE_FAILED, blaming)


def test_a_step_may_blame_its_own_agent() -> None:
    step = Declared(subject="one/step[0]", parent="one")
    blaming = Moved(subject="one/step[0]", to=S, reason=UPSTREAM_FAILED, upstream="one")
    assert [] == broken(CREATED, ONE, step, *ONE_FAILED, blaming)


def test_blame_names_something_that_failed() -> None:
    nobody = Moved(subject="two", to=S, reason=UPSTREAM_FAILED)
    assert [(Law.INDEPENDENCE, "two")] == broken(CREATED, TWO, nobody)
    one = Moved(subject="two", to=S, reason=UPSTREAM_FAILED, upstream="one")
    assert [(Law.INDEPENDENCE, "two")] == broken(CREATED, ONE, agent("two", needs=("one",)), one)


def test_a_run_that_was_stopped_may_cancel_everything() -> None:
    stop = StopRequested(reason=StopReason.LIMIT)
    blaming = Moved(subject="two", to=X, upstream="one")
    assert [] == broken(CREATED, ONE, TWO, *ONE_FAILED, stop, blaming)


def test_a_policy_that_continues_is_not_stopped_by_a_failure() -> None:
    stop = StopRequested(reason=StopReason.FAILURE)
    assert [(Law.INDEPENDENCE, None)] == broken(CREATED, stop)
    assert [] == broken(evolve(CREATED, continue_on_failure=False), stop)


# --- 7


def test_time_does_not_go_backwards() -> None:
    events = history(A, *moves("a", Q))
    assert [Law.TIMES] == [v.law for v in verify([events[0], evolve(events[1], time=NOON)])]


def test_a_worker_is_named_exactly_with_running() -> None:
    nobody = Moved(subject="a", to=R, attempt=1)
    somebody = Moved(subject="a", to=V, worker="w")
    assert [(Law.TIMES, "a")] * 2 == broken(A, *moves("a", Q), nobody, somebody)


# --- 8


def test_an_item_is_merged_at_most_once() -> None:
    assert [(Law.MERGES, "one")] == broken(ONE, merged("one"), merged("one"))


def test_what_failed_is_not_merged_before_or_after() -> None:
    assert [(Law.MERGES, "one")] == broken(ONE, *ONE_FAILED, merged("one"))
    assert [(Law.MERGES, "one")] == broken(ONE, merged("one"), *ONE_FAILED)


def test_what_completed_has_been_merged_when_the_run_ends() -> None:
    one = agent("one", merges=True)
    life = moves("one", Q, R, V, C)
    assert [] == broken(CREATED, BEGUN, one, *life)
    assert [(Law.MERGES, "one")] == broken(CREATED, BEGUN, one, *life, ENDED)
