"""How long steps will take: what their author said, else what history says, else a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

from attrs import frozen

_UNKNOWN: Final = timedelta(seconds=1)


class EstimateSource(StrEnum):
    """Where an estimate comes from."""

    GIVEN = "given"
    HISTORY = "history"
    GUESS = "guess"


@frozen
class Estimate:
    """How long a step will take, and how that is known."""

    duration: timedelta
    source: EstimateSource


def estimate_durations(
    names: Sequence[str],
    *,
    given: Mapping[str, timedelta] | None = None,
    history: Mapping[str, Sequence[timedelta]] | None = None,
) -> tuple[Estimate, ...]:
    """Estimate each step's duration.

    A step that has run before takes the median of its earlier durations, which one run that
    hung does not spoil. A step of which nothing is known takes the median of the others, or one
    second if nothing is known of any: in proportion, which is all that priorities need, that is
    the least surprising guess.

    Returns:
        One estimate for each name, in order.

    >>> seconds = timedelta(seconds=1)
    >>> found = estimate_durations(["a", "b"], history={"a": [3 * seconds, 9 * seconds, 4 * seconds]})
    >>> [(estimate.duration.seconds, estimate.source.value) for estimate in found]
    [(4, 'history'), (4, 'guess')]
    """
    known = {name: _from_history(past) for name, past in (history or {}).items() if past}
    known |= {name: Estimate(d, EstimateSource.GIVEN) for name, d in (given or {}).items()}
    durations = [known[name].duration for name in names if name in known]
    guess = Estimate(_median(durations) if durations else _UNKNOWN, EstimateSource.GUESS)
    return tuple(known.get(name, guess) for name in names)


def _from_history(past: Sequence[timedelta]) -> Estimate:
    return Estimate(_median(past), EstimateSource.HISTORY)


def _median(durations: Sequence[timedelta]) -> timedelta:
    """Take the one in the middle; of two, the shorter."""
    return sorted(durations)[(len(durations) - 1) // 2]
