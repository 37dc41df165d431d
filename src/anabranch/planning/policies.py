"""What the failure of an item means for the item and for the run: one pure decision.

An attempt that fails is tried again while the retry policy allows it. When it is not, the item
has failed for good: it is counted, goes where `on_item_failure` sends it, and the counts say
whether the run goes on. The decision looks at counts and at nothing else, so it does not matter
in which order items end. Whether the next agent may start now is the circuit breaker's question.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from attrs import evolve, field, frozen

from anabranch.planning.checks import at_least, fraction, refuse
from anabranch.planning.circuit_breaker import CircuitBreaker
from anabranch.planning.error_classes import ErrorMatcher, matches_any
from anabranch.planning.retries import Retry, RetryPolicy

FEWEST_FOR_A_RATE: Final = 10
"""How many items must have finished before `failure_threshold` is looked at."""

DEFAULT_RETRY: Final = RetryPolicy.exponential("1s", max_attempts=3, cap="30s")
"""What `on_item_failure: retry` means without a retry policy."""


class OnItemFailure(StrEnum):
    """What becomes of an item that failed.

    `dlq`: it is kept in the dead-letter queue. `retry`: it is tried again, then kept there.
    `skip`: it is left out. `stop`: it is kept there, and the run stops.
    """

    DLQ = "dlq"
    RETRY = "retry"
    SKIP = "skip"
    STOP = "stop"


class StopCause(StrEnum):
    """Which setting stops a run."""

    ON_ITEM_FAILURE = "on_item_failure"
    CONTINUE_ON_FAILURE = "continue_on_failure"
    MAX_FAILURES = "max_failures"
    FAILURE_THRESHOLD = "failure_threshold"


@frozen(kw_only=True)
class Tally:
    """How many items have finished, each counted once, by its last attempt."""

    completed: int = 0
    failed: int = 0

    @property
    def finished(self) -> int:
        """Completed or failed."""
        return self.completed + self.failed


@frozen(kw_only=True)
class AttemptFailure:
    """An attempt at an item that failed.

    Attributes:
        agent: whose attempt it was; agents draw the jitter of their delays each for itself.
        attempt: its number, counted from 1.
        elapsed: the time since the first attempt at this item began.
        error: what it said.
    """

    agent: str = ""
    attempt: int
    elapsed: timedelta = timedelta()
    error: str = ""


@frozen
class RetryAfter:
    """Try the item again after this delay; it has not finished."""

    delay: timedelta


@frozen(kw_only=True)
class GoOn:
    """The item has failed; the others go on. `keep`: it goes to the dead-letter queue."""

    keep: bool


@frozen(kw_only=True)
class Stop:
    """The item has failed, and nothing more is started. `keep`: as in `GoOn`."""

    reason: StopCause
    keep: bool


FailureDecision: TypeAlias = RetryAfter | GoOn | Stop
"""What `decide` answers."""


def _matchers(matchers: Iterable[ErrorMatcher]) -> tuple[ErrorMatcher, ...]:
    return tuple(matchers)


@frozen(kw_only=True)
class FailurePolicy:
    """The failure policy of a map phase.

    Attributes:
        on_item_failure: what becomes of an item that failed.
        continue_on_failure: whether the run goes on after an item has failed.
        max_failures: so many failed items stop the run; `None` is no limit.
        failure_threshold: more than this share of the finished items, 0 to 1, stops the run
            once ten have finished; `None` is no limit.
        retry: when a failed attempt is tried again; `None` is never, but for
            `on_item_failure: retry`, where it is `DEFAULT_RETRY`.
        retry_on: the errors worth another attempt; empty is all.
        circuit_breaker: when to pause starting agents; `None` is never.

    Raises:
        ConfigError: everything that is out of range.

    >>> policy = FailurePolicy(max_failures=2)
    >>> decide(policy, Tally(completed=5), AttemptFailure(attempt=1))
    GoOn(keep=True)
    >>> decide(policy, Tally(completed=5, failed=1), AttemptFailure(attempt=1))
    Stop(reason=<StopCause.MAX_FAILURES: 'max_failures'>, keep=True)
    """

    on_item_failure: OnItemFailure = OnItemFailure.DLQ
    continue_on_failure: bool = True
    max_failures: int | None = None
    failure_threshold: float | None = None
    retry: RetryPolicy | None = None
    retry_on: tuple[ErrorMatcher, ...] = field(default=(), converter=_matchers)
    circuit_breaker: CircuitBreaker | None = None

    def __attrs_post_init__(self) -> None:
        refuse(
            [
                *at_least("max_failures", self.max_failures, 1),
                *fraction("failure_threshold", self.failure_threshold),
            ]
        )


def decide(policy: FailurePolicy, tally: Tally, failure: AttemptFailure) -> FailureDecision:
    """What to do about an attempt that failed.

    Args:
        policy: the failure policy.
        tally: the items that have finished so far, this one not among them.
        failure: the attempt.
    """
    delay = _retry_delay(policy, failure)
    if delay is not None:
        return RetryAfter(delay)
    reason = stop_reason(policy, evolve(tally, failed=tally.failed + 1))
    keep = policy.on_item_failure is not OnItemFailure.SKIP
    return GoOn(keep=keep) if reason is None else Stop(reason=reason, keep=keep)


def _retry_delay(policy: FailurePolicy, failure: AttemptFailure) -> timedelta | None:
    retry = _retry_of(policy)
    if retry is None or (policy.retry_on and not matches_any(failure.error, policy.retry_on)):
        return None
    retry = retry.seeded(f"{retry.seed}/{failure.agent}")
    decision = retry.decide(failure.attempt, failure.elapsed)
    return decision.delay if isinstance(decision, Retry) else None


def stop_reason(policy: FailurePolicy, tally: Tally) -> StopCause | None:
    """Which setting these counts violate; `None` if the run may go on.

    >>> stop_reason(FailurePolicy(failure_threshold=0.2), Tally(completed=7, failed=3))
    <StopCause.FAILURE_THRESHOLD: 'failure_threshold'>
    """
    if not tally.failed:
        return None
    if policy.on_item_failure is OnItemFailure.STOP:
        return StopCause.ON_ITEM_FAILURE
    if not policy.continue_on_failure:
        return StopCause.CONTINUE_ON_FAILURE
    if policy.max_failures is not None and tally.failed >= policy.max_failures:
        return StopCause.MAX_FAILURES
    too_many = (
        policy.failure_threshold is not None
        and tally.finished >= FEWEST_FOR_A_RATE
        and tally.failed / tally.finished > policy.failure_threshold
    )
    return StopCause.FAILURE_THRESHOLD if too_many else None


def goes_on(policy: FailurePolicy) -> bool:
    """Whether the failure of one item leaves the others alone, limits aside.

    >>> goes_on(FailurePolicy(on_item_failure=OnItemFailure.STOP))
    False
    """
    return policy.continue_on_failure and policy.on_item_failure is not OnItemFailure.STOP


UNCOUNTED: Final = 1_000_000
"""Attempts, where only their time is limited."""


def attempts_of(policy: FailurePolicy) -> int:
    """How often an item may be tried at most."""
    retry = _retry_of(policy)
    return 1 if retry is None else (retry.max_attempts or UNCOUNTED)


def _retry_of(policy: FailurePolicy) -> RetryPolicy | None:
    by_default = DEFAULT_RETRY if policy.on_item_failure is OnItemFailure.RETRY else None
    return policy.retry or by_default
