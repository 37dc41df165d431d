"""What surrounds steps as plain data: the way back from the values of `settings`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from anabranch.planning import (
    Backoff,
    CircuitBreaker,
    Claim,
    Custom,
    ErrorClass,
    ErrorMatcher,
    Exponential,
    FailurePolicy,
    Fibonacci,
    Fixed,
    Limits,
    Linear,
    RetryPolicy,
)
from anabranch.values import Json

_MICROSECOND: Final = timedelta(microseconds=1)


def given(**values: Json) -> dict[str, Json]:
    """Leave out what is `None`."""
    return {name: value for name, value in values.items() if value is not None}


def written_duration(value: timedelta | None) -> int | str | None:
    """Exact: whole seconds as a number, others with the unit that leaves no fraction."""
    if value is None:
        return None
    count = value // _MICROSECOND
    if count % 1_000_000 == 0:
        return count // 1_000_000
    return f"{count // 1000}ms" if count % 1000 == 0 else f"{count}us"


def written_retry(
    policy: RetryPolicy | None, retry_on: Sequence[ErrorMatcher]
) -> dict[str, Json] | None:
    """As `settings.RETRY` reads it."""
    if policy is None:
        return None
    return given(
        max_attempts=policy.max_attempts,
        budget=written_duration(policy.budget),
        backoff=_curve(policy.backoff),
        max_delay=written_duration(policy.cap),
        jitter=policy.jitter or None,
        retry_on=[_matcher(one) for one in retry_on] or None,
    )


def _matcher(matcher: ErrorMatcher) -> str:
    return matcher.value if isinstance(matcher, ErrorClass) else matcher.regex.pattern


def _curve(backoff: Backoff) -> dict[str, Json]:
    match backoff:
        case Fixed(initial):
            return {"fixed": {"delay": written_duration(initial)}}
        case Linear(initial, increment):
            numbers = {"initial": initial, "increment": increment}
            return {"linear": {name: written_duration(at) for name, at in numbers.items()}}
        case Exponential(initial, base):
            return {"exponential": {"initial": written_duration(initial), "multiplier": base}}
        case Fibonacci(initial):
            return {"fibonacci": {"initial": written_duration(initial)}}
        case Custom(delays, then):
            listed = [written_duration(delay) for delay in delays]
            return {"custom": {"delays": listed, "then": written_duration(then)}}


def written_policy(policy: FailurePolicy) -> dict[str, Json] | None:
    """As `settings.ERROR_POLICY` reads it; `None` if all is as by default."""
    plain = FailurePolicy()
    words = policy.on_item_failure, policy.continue_on_failure
    on_item_failure, go_on = words
    found = given(
        on_item_failure=None if on_item_failure is plain.on_item_failure else on_item_failure.value,
        continue_on_failure=None if go_on else False,
        max_failures=policy.max_failures,
        failure_threshold=policy.failure_threshold,
        circuit_breaker=_breaker(policy.circuit_breaker),
        retry_config=written_retry(policy.retry, policy.retry_on),
    )
    return found or None


def _breaker(breaker: CircuitBreaker | None) -> dict[str, Json] | None:
    if breaker is None:
        return None
    return {
        "failure_threshold": breaker.failure_threshold,
        "success_threshold": breaker.success_threshold,
        "timeout": written_duration(breaker.timeout),
        "half_open_requests": breaker.half_open_requests,
    }


def written_claims(claims: Sequence[Claim]) -> dict[str, Json] | None:
    """As `settings.CLAIMS` reads it."""
    return {claim.name: "shared" if claim.shared else claim.amount for claim in claims} or None


def written_limits(limits: Limits) -> dict[str, Json] | None:
    """As `settings.RESOURCES` reads it."""
    rates: Mapping[str, Json] = {
        name: {"starts": rate.starts, "per": written_duration(rate.per)}
        for name, rate in limits.rates.items()
    }
    return {**limits.pools, **rates} or None
