"""A journal in memory: for tests, dry runs and runs that nobody needs to resume."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from returns.result import Result, Success

from anabranch.environment import JournalError
from anabranch.lifecycle import Event, Folding, Payload, RunState
from anabranch.services.journal.stamping import Stamp


class MemoryJournal:
    """A `Journal` that keeps its events in a list.

    Args:
        now: the clock, in UTC. By default an hour-glass of its own: a fixed day, one
            millisecond later at every event, so a test is the same every time.
        events: a history to go on from.
    """

    def __init__(
        self, *, now: Callable[[], datetime] | None = None, events: Iterable[Event] = ()
    ) -> None:
        self.events = list(events)
        self._folding = Folding()
        self._folding.take_all(self.events)
        self._stamp = Stamp(now or _counting(), last=self.events[-1] if self.events else None)

    @property
    def state(self) -> RunState:
        """The fold of all events."""
        return self._folding.state

    async def append(
        self, *payloads: Payload, cause: int | None = None
    ) -> Result[tuple[Event, ...], JournalError]:
        """Keep what happened. It never fails, and never waits."""
        events = self._stamp.peek(payloads, cause)
        self._folding.take_all(events)
        self._stamp.advance(events)
        self.events.extend(events)
        return Success(events)


def _counting() -> Callable[[], datetime]:
    time = datetime(2026, 1, 1, tzinfo=UTC)

    def tick() -> datetime:
        nonlocal time
        time += timedelta(milliseconds=1)
        return time

    return tick
