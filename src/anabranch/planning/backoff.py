"""How long to wait before another attempt: five curves, each a function of the attempt number.

All arithmetic is done in microseconds, the resolution of `timedelta`, so that a delay is the
same on every machine. A curve grows until `timedelta.max` and stays there; it never overflows.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from math import inf
from typing import Final, TypeAlias

from attrs import field, frozen

from anabranch.planning.checks import out_of_range, refuse
from anabranch.values import parse_duration

Duration: TypeAlias = str | float | timedelta
"""What `parse_duration` reads: `"1m 30s"`, a number of seconds, or a `timedelta`."""

_MICROSECOND: Final = timedelta(microseconds=1)
_LONGEST: Final = timedelta.max // _MICROSECOND


def to_microseconds(duration: timedelta) -> int:
    """The exact number of microseconds in a duration."""
    return duration // _MICROSECOND


def from_microseconds(count: float) -> timedelta:
    """A duration of that many microseconds, `timedelta.max` if that is less."""
    return timedelta.max if count >= _LONGEST else timedelta(microseconds=round(count))


@frozen
class Fixed:
    """The same delay every time.

    >>> Fixed("2s").delay(7)
    datetime.timedelta(seconds=2)
    """

    initial: timedelta = field(converter=parse_duration)

    def delay(self, attempt: int) -> timedelta:  # noqa: ARG002 - the shape of all five
        """The wait after that attempt, counted from 1, has failed."""
        return self.initial


@frozen
class Linear:
    """`initial`, then longer by `increment` each time.

    >>> [Linear("1s", "2s").delay(n).seconds for n in (1, 2, 3)]
    [1, 3, 5]
    """

    initial: timedelta = field(converter=parse_duration)
    increment: timedelta = field(converter=parse_duration)

    def delay(self, attempt: int) -> timedelta:
        """The wait after that attempt, counted from 1, has failed."""
        added = to_microseconds(self.increment) * (attempt - 1)
        return from_microseconds(to_microseconds(self.initial) + added)


@frozen
class Exponential:
    """`initial`, then `base` times as long each time; a base below 1 shrinks.

    >>> [Exponential("100ms", 3).delay(n).total_seconds() for n in (1, 2, 3)]
    [0.1, 0.3, 0.9]
    """

    initial: timedelta = field(converter=parse_duration)
    base: float = field(default=2.0, converter=float)

    def __attrs_post_init__(self) -> None:
        if not 0 < self.base < inf:
            refuse([out_of_range("base", self.base, "a finite number above 0")])

    def delay(self, attempt: int) -> timedelta:
        """The wait after that attempt, counted from 1, has failed."""
        if not self.initial:
            return self.initial
        try:
            return from_microseconds(to_microseconds(self.initial) * self.base ** (attempt - 1))
        except OverflowError:
            return timedelta.max


@frozen
class Fibonacci:
    """`initial` twice, then each delay the sum of the two before it.

    >>> [Fibonacci("1s").delay(n).seconds for n in (1, 2, 3, 4, 5)]
    [1, 1, 2, 3, 5]
    """

    initial: timedelta = field(converter=parse_duration)

    def delay(self, attempt: int) -> timedelta:
        """The wait after that attempt, counted from 1, has failed."""
        current = following = to_microseconds(self.initial)
        for _ in range(attempt - 1):
            if not 0 < current < _LONGEST:
                break
            current, following = following, current + following
        return from_microseconds(current)


def _durations(values: Iterable[Duration]) -> tuple[timedelta, ...]:
    return tuple(map(parse_duration, values))


@frozen
class Custom:
    """The listed delays one by one; after the last of them, `then` for ever.

    >>> [Custom(["1s", "5s"], then="30s").delay(n).seconds for n in (1, 2, 3, 4)]
    [1, 5, 30, 30]
    """

    delays: tuple[timedelta, ...] = field(converter=_durations)
    then: timedelta = field(converter=parse_duration)

    def delay(self, attempt: int) -> timedelta:
        """The wait after that attempt, counted from 1, has failed."""
        return self.delays[attempt - 1] if attempt <= len(self.delays) else self.then


Backoff: TypeAlias = Fixed | Linear | Exponential | Fibonacci | Custom
"""One of the five curves."""


def dwindles(backoff: Backoff) -> bool:
    """Whether the delays come to nothing in the long run, so that attempts would spin.

    >>> dwindles(Exponential("1s", base=0.5)), dwindles(Linear(0, "1s"))
    (True, False)
    """
    match backoff:
        case Linear(initial, increment):
            return not initial and not increment
        case Exponential(initial, base):
            return not initial or base < 1
        case Custom(_, then):
            return not then
        case Fixed(initial) | Fibonacci(initial):
            return not initial
