"""Stories: what happened and when, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from attrs import evolve, frozen

UNTIMED: Final = -1.0


@frozen
class Ok:
    value: int


@frozen
class Failed:
    error: str


@frozen
class Raised:
    """Ended in the defects of these steps."""

    steps: frozenset[int]


@frozen
class Cancelled:
    pass


Outcome: TypeAlias = Ok | Failed | Raised | Cancelled
Event: TypeAlias = tuple[float, str]


@frozen
class Story:
    outcome: Outcome
    ended: float
    events: tuple[Event, ...] = ()

    def then(self, tell: Callable[[float], Story]) -> Story:
        """Go on with another story, which has the last word."""
        after = tell(self.ended)
        return evolve(after, events=self.events + after.events)


class AmbiguousError(Exception):
    """Two things happen at the same moment, and nothing says which comes first."""
