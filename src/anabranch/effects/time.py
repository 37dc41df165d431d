"""Time: waits, limits and repetition, on whatever clock the driver has.

Nothing here reads a clock. `sleep` and `now` ask the interpreter, so a test in virtual
time waits for nothing and sees the same instants every time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Never, TypeAlias, TypeVar

from anabranch.effects.core import Effect, Fail, Now, OrElse, Sleep, Succeed, Then, Timeout
from anabranch.effects.errors import TimedOut
from anabranch.planning.retries import Retry, RetryPolicy
from anabranch.values import UsageError, parse_duration

T = TypeVar("T")
E = TypeVar("E")
Env = TypeVar("Env")

Duration: TypeAlias = timedelta | float | str


def sleep(duration: Duration) -> Effect[None, Never, object]:
    """Wait: a `timedelta`, a number of seconds, or text such as `500ms`."""
    return Sleep(parse_duration(duration).total_seconds())


def now() -> Effect[float, Never, object]:
    """The interpreter's clock: seconds since an arbitrary start; it never goes backwards."""
    return Now()


def timeout(effect: Effect[T, E, Env], duration: Duration) -> Effect[T, E | TimedOut, Env]:
    """Cancel the effect after `duration` and fail with `TimedOut`.

    Its finalisers have run when the failure is seen.
    """
    return Timeout(effect, parse_duration(duration).total_seconds())


def retry(
    effect: Effect[T, E, Env],
    policy: RetryPolicy,
    *,
    retry_if: Callable[[E], bool] = lambda _: True,
) -> Effect[T, E, Env]:
    """Run it again after a failure, as long as the policy says so.

    Args:
        effect: what to run; each attempt is a run of its own.
        policy: how often and after which delays, as data.
        retry_if: whether a failure is worth another attempt.

    Returns:
        The first value, or the error of the last attempt. Exceptions and cancellation are
        never retried.

    >>> from anabranch import RetryPolicy, fail, retry, run
    >>> run(retry(fail("busy"), RetryPolicy.fixed("1ms", max_attempts=3)))
    <Failure: busy>
    """

    def attempt(number: int, started: float) -> Effect[T, E, Env]:
        return OrElse(effect, lambda error: failed(number, started, error))

    def failed(number: int, started: float, error: E) -> Effect[T, E, Env]:
        if not retry_if(error):
            return Fail(error)
        if policy.budget is None:
            return decide(number, started, error, started)
        return Then(Now(), lambda seconds: decide(number, started, error, seconds))

    def decide(number: int, started: float, error: E, seconds: float) -> Effect[T, E, Env]:
        decision = policy.decide(number, timedelta(seconds=seconds - started))
        if not isinstance(decision, Retry):
            return Fail(error)
        wait = Sleep(decision.delay.total_seconds())
        return Then(wait, lambda _: attempt(number + 1, started))

    if policy.budget is None:  # nobody asks what time it is
        return attempt(1, 0.0)
    return Then(Now(), partial(attempt, 1))


def repeat(
    effect: Effect[T, E, Env],
    *,
    times: int | None = None,
    until: Callable[[T], bool] | None = None,
    delay: Duration = 0,
) -> Effect[T, E, Env]:
    """Run it again after a success; a failure ends it.

    Args:
        effect: what to run.
        times: how often in all, at least once; `None` is no limit.
        until: stop after the first value for which this holds.
        delay: the wait between two runs.

    Returns:
        The last value.

    Raises:
        UsageError: neither `times` nor `until`, or `times` below 1.

    >>> from anabranch import repeat, run, succeed
    >>> run(repeat(succeed(1), times=3))
    <Success: 1>
    """
    if (times is None and until is None) or (times is not None and times < 1):
        raise UsageError.of(
            "unbounded-repeat",
            "a repetition needs `times` (at least 1) or `until`",
            value=str(times),
            hint="pass `until=lambda _: False` to go on until cancelled",
        )
    wait = Sleep(parse_duration(delay).total_seconds())

    def go_on(done: int, value: T) -> Effect[T, E, Env]:
        if done == times or (until is not None and until(value)):
            return Succeed(value)
        return Then(wait, lambda _: Then(effect, lambda value: go_on(done + 1, value)))

    return Then(effect, lambda value: go_on(1, value))


def fallback(first: Effect[T, E, Env], *others: Effect[T, E, Env]) -> Effect[T, E, Env]:
    """The first that succeeds, tried one after the other; or the last error.

    >>> from anabranch import fail, fallback, run, succeed
    >>> run(fallback(fail("no cache"), succeed("fetched")))
    <Success: fetched>
    """
    result: Effect[Any, Any, Any] = first
    for other in others:
        result = OrElse(result, partial(_instead, other))
    return result


def _instead(other: Effect[T, E, Env], _: object) -> Effect[T, E, Env]:
    return other
