from __future__ import annotations

from datetime import timedelta

import pytest

from anabranch.planning.circuit_breaker import (
    AttemptOutcome,
    BreakerPhase,
    BreakerState,
    CircuitBreaker,
    MayStart,
    MustWait,
)
from anabranch.values import ConfigError

BREAKER = CircuitBreaker(
    failure_threshold=2, success_threshold=2, timeout="10s", half_open_requests=2
)
SUCCESS, FAILURE = AttemptOutcome.SUCCESS, AttemptOutcome.FAILURE


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def started(state: BreakerState, now: float = 0) -> MayStart:
    decision = BREAKER.start(state, seconds(now))
    assert isinstance(decision, MayStart)
    return decision


def after(
    *outcomes: AttemptOutcome, state: BreakerState | None = None, now: float = 0
) -> BreakerState:
    state = BreakerState() if state is None else state
    for outcome in outcomes:
        start = started(state, now)
        state = BREAKER.end(start.state, start.ticket, outcome, seconds(now))
    return state


def test_failures_in_a_row_open_it() -> None:
    assert BreakerPhase.OPEN == after(FAILURE, FAILURE).phase


def test_a_success_between_failures_keeps_it_closed() -> None:
    assert BreakerPhase.CLOSED == after(FAILURE, SUCCESS, FAILURE).phase


def test_an_abandoned_attempt_counts_neither_way() -> None:
    assert BreakerPhase.OPEN == after(FAILURE, AttemptOutcome.ABANDONED, FAILURE).phase


def test_open_it_says_how_long_to_wait() -> None:
    opened = after(FAILURE, FAILURE, now=5)
    assert MustWait(seconds(7)) == BREAKER.start(opened, seconds(8))
    assert isinstance(BREAKER.start(opened, seconds(15)), MayStart)


def test_half_open_only_so_many_attempts_are_under_way() -> None:
    opened = after(FAILURE, FAILURE)
    first = started(opened, 10)
    second = started(first.state, 10)
    assert MustWait(None) == BREAKER.start(second.state, seconds(99))
    ended = BREAKER.end(second.state, first.ticket, AttemptOutcome.ABANDONED, seconds(99))
    assert isinstance(BREAKER.start(ended, seconds(99)), MayStart)


def test_half_open_enough_successes_close_it() -> None:
    closed = after(SUCCESS, SUCCESS, state=after(FAILURE, FAILURE), now=10)
    assert (BreakerPhase.CLOSED, 0) == (closed.phase, closed.failures)


def test_half_open_one_failure_opens_it_for_the_whole_timeout_again() -> None:
    again = after(SUCCESS, FAILURE, state=after(FAILURE, FAILURE), now=12)
    assert MustWait(seconds(10)) == BREAKER.start(again, seconds(12))


def test_an_attempt_from_before_it_opened_says_nothing_about_now() -> None:
    stale = started(BreakerState()).ticket
    half_open = started(after(FAILURE, FAILURE), 10).state
    for outcome in AttemptOutcome:
        assert half_open == BREAKER.end(half_open, stale, outcome, seconds(11))


def test_counts_below_one_are_refused_all_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        CircuitBreaker(failure_threshold=0, success_threshold=0, half_open_requests=0)
    names = ["failure_threshold", "success_threshold", "half_open_requests"]
    assert names == [problem.where.path for problem in caught.value.problems]
