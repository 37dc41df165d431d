"""Sequence numbers and times: what the journal puts on a payload.

Times never go backwards. A wall clock does, when it is set or when the machine wakes up; an
event that would be earlier than the one before it gets the time of that one. So durations
are never negative and the order of times is the order of events, at the price that the times
of a journal stand still until a clock that was set back has caught up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from anabranch.lifecycle import Event, Payload


class Stamp:
    """Where a journal stands: the last sequence number and the last time.

    Args:
        now: the clock, in UTC.
        last: the last event that the journal already holds.
    """

    def __init__(self, now: Callable[[], datetime], last: Event | None = None) -> None:
        self._now = now
        self._last = last

    def peek(self, payloads: Sequence[Payload], cause: int | None) -> tuple[Event, ...]:
        """The events that these payloads would be. Nothing is taken yet."""
        time, sequence = self._now(), 0
        if self._last is not None:
            time, sequence = max(time, self._last.time), self._last.sequence
        return tuple(
            Event(number, time, payload, cause)
            for number, payload in enumerate(payloads, start=sequence + 1)
        )

    def advance(self, events: Sequence[Event]) -> None:
        """Take these events for written."""
        self._last = events[-1] if events else self._last
