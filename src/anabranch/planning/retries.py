"""Retry policies: whether to try again, and after how long, as pure data.

A policy answers from the number of the attempt that has just failed, the time that has passed
since the first one began, and its seed. It keeps no state, reads no clock and draws no random
number: the same questions get the same answers, in production, in a simulation and in a replay.
Which failures are worth another attempt is not its business: that is asked of the failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Self, TypeAlias, TypedDict, Unpack

from attrs import evolve, field, frozen
from attrs.converters import optional

from anabranch.planning.backoff import (
    Backoff,
    Custom,
    Duration,
    Exponential,
    Fibonacci,
    Fixed,
    Linear,
    dwindles,
    from_microseconds,
    to_microseconds,
)
from anabranch.planning.checks import at_least, fraction, refuse
from anabranch.values import ConfigError, Location, Problem, UsageError, parse_duration


class GiveUpReason(StrEnum):
    """Which bound of a policy was reached."""

    ATTEMPTS = "attempts"
    BUDGET = "budget"


@frozen
class Retry:
    """Try again, after this delay."""

    delay: timedelta


@frozen
class GiveUp:
    """Do not try again."""

    reason: GiveUpReason


RetryDecision: TypeAlias = Retry | GiveUp
"""What `RetryPolicy.decide` answers."""


class Bounds(TypedDict, total=False):
    """The settings that every constructor of a `RetryPolicy` takes; its attributes say more."""

    max_attempts: int | None
    budget: Duration | None
    cap: Duration | None
    jitter: float
    seed: int | str


@frozen(kw_only=True)
class RetryPolicy:
    """When to try again, and when to give up.

    Attributes:
        backoff: the curve of the delays.
        max_attempts: attempts in all, the first included (1 is no retry); `None` is no maximum.
        budget: no attempt starts later than this after the first one did; `None` is no limit.
        cap: no delay is longer than this; `None` is no cap.
        jitter: the share of each delay, 0 to 1, that chance may take off it: 0 takes nothing,
            1 leaves anything from a microsecond to the whole delay.
        seed: what the chance is drawn from. Equal seeds give equal delays; give each agent its
            own (`seeded`), so that they do not all come back at the same moment.
        unbounded: the policy may go on for ever; `forever` sets it.

    Raises:
        ConfigError: neither `max_attempts` nor `budget` nor `unbounded`; no `max_attempts` and
            delays that come to nothing, so that it would spin; a value out of range.

    >>> policy = RetryPolicy.exponential("1s", max_attempts=3, cap="10s")
    >>> policy.decide(attempt=2, elapsed=timedelta(seconds=5))
    Retry(delay=datetime.timedelta(seconds=2))
    >>> policy.decide(attempt=3, elapsed=timedelta(seconds=9))
    GiveUp(reason=<GiveUpReason.ATTEMPTS: 'attempts'>)
    """

    backoff: Backoff
    max_attempts: int | None = None
    budget: timedelta | None = field(default=None, converter=optional(parse_duration))
    cap: timedelta | None = field(default=None, converter=optional(parse_duration))
    jitter: float = 0.0
    seed: int | str = 0
    unbounded: bool = False

    def __attrs_post_init__(self) -> None:
        refuse(_problems(self))

    @classmethod
    def fixed(cls, delay: Duration = 1, **bounds: Unpack[Bounds]) -> Self:
        """Wait the same time before each attempt."""
        return cls(backoff=Fixed(delay), **bounds)

    @classmethod
    def linear(
        cls, initial: Duration = 1, *, increment: Duration = 1, **bounds: Unpack[Bounds]
    ) -> Self:
        """Wait `initial`, then longer by `increment` each time."""
        return cls(backoff=Linear(initial, increment), **bounds)

    @classmethod
    def exponential(
        cls, initial: Duration = 1, *, base: float = 2.0, **bounds: Unpack[Bounds]
    ) -> Self:
        """Wait `initial`, then `base` times as long each time."""
        return cls(backoff=Exponential(initial, base), **bounds)

    @classmethod
    def fibonacci(cls, initial: Duration = 1, **bounds: Unpack[Bounds]) -> Self:
        """Wait `initial` twice, then each time the sum of the two delays before."""
        return cls(backoff=Fibonacci(initial), **bounds)

    @classmethod
    def custom(cls, delays: Iterable[Duration], **bounds: Unpack[Bounds]) -> Self:
        """Wait as listed; once the list is used up, for the `cap`, or if none, as listed last."""
        listed = tuple(delays)
        then = _after(listed, bounds.get("cap"))
        return cls(backoff=Custom(listed, then), **bounds)

    @classmethod
    def forever(
        cls,
        backoff: Backoff,
        *,
        cap: Duration | None = None,
        jitter: float = 0.0,
        seed: int | str = 0,
    ) -> Self:
        """Try until it succeeds or is cancelled: the one way to a policy without a bound.

        >>> RetryPolicy.forever(Exponential("1s"), cap="1m").delay(100)
        datetime.timedelta(seconds=60)
        """
        return cls(backoff=backoff, cap=cap, jitter=jitter, seed=seed, unbounded=True)

    def seeded(self, seed: int | str) -> Self:
        """The same policy with another seed."""
        return evolve(self, seed=seed)

    def delay(self, attempt: int) -> timedelta:
        """The wait after that attempt, counted from 1, has failed; the bounds are not asked."""
        if attempt < 1:
            raise UsageError.of("bad-attempt", "attempts count from 1", value=str(attempt))
        whole = self.backoff.delay(attempt)
        capped = whole if self.cap is None else min(whole, self.cap)
        return self._jittered(capped, attempt) if self.jitter else capped

    def decide(self, attempt: int, elapsed: timedelta) -> RetryDecision:
        """What to do now that an attempt has failed.

        Args:
            attempt: the number of the attempt that failed, counted from 1.
            elapsed: the time since the first attempt began.
        """
        delay = self.delay(attempt)
        if self.max_attempts is not None and attempt >= self.max_attempts:
            return GiveUp(GiveUpReason.ATTEMPTS)
        if self.budget is not None and (
            to_microseconds(elapsed) + to_microseconds(delay) > to_microseconds(self.budget)
        ):
            return GiveUp(GiveUpReason.BUDGET)
        return Retry(delay)

    def _jittered(self, delay: timedelta, attempt: int) -> timedelta:
        """Take off up to `jitter` of a delay, but never all of it. Exact: integers only."""
        digest = blake2b(f"{self.seed!r}:{attempt}".encode(), digest_size=8).digest()
        over, under = self.jitter.as_integer_ratio()
        whole = to_microseconds(delay)
        return from_microseconds(
            whole - whole * over * int.from_bytes(digest) // (under * 256 ** len(digest))
        )


def _after(listed: Sequence[Duration], cap: Duration | None) -> Duration:
    if cap is not None:
        return cap
    if listed:
        return listed[-1]
    raise ConfigError.of("no-delays", "an empty list of delays needs a `cap`")


def _problems(policy: RetryPolicy) -> Iterator[Problem]:
    yield from at_least("max_attempts", policy.max_attempts, 1)
    yield from fraction("jitter", policy.jitter)
    bounded = policy.max_attempts is not None or policy.budget is not None
    if bounded == policy.unbounded:
        yield Problem(
            code="unbounded-retry",
            message="a retry policy for ever has no bound"
            if bounded
            else "a retry policy needs a bound",
            where=Location(path="max_attempts"),
            expected="`max_attempts` or `budget`, or else `RetryPolicy.forever`",
        )
    if policy.max_attempts is None and (dwindles(policy.backoff) or policy.cap == timedelta()):
        yield Problem(
            code="spinning-retry",
            message="without `max_attempts`, delays that come to nothing would spin",
            where=Location(path="backoff"),
            value=str(policy.backoff),
            expected="a delay that stays above 0, or `max_attempts`",
        )
