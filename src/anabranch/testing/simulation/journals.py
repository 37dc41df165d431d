"""A simulated disk for journals: what is on it after a crash is what was synced, and perhaps more.

The journal over it behaves as the one in files does: an event that announces an act is durable
before the run goes on, one that reports is written with the next announcement, the first error is
the last thing that is written. What was not synced when the process died may be there in part, and
the last line may be torn.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Final

from attrs import define, field, frozen
from returns.result import Failure, Result, Success

from anabranch.environment import JournalError, JournalFault
from anabranch.interpreters.strands import virtual_sleep
from anabranch.lifecycle import (
    Event,
    Folding,
    Opened,
    Payload,
    RunState,
    decode,
    encode,
    is_announcement,
)
from anabranch.services.journal.stamping import Stamp
from anabranch.testing.simulation.chance import Chance

_decoded: Final = lru_cache(maxsize=1 << 14)(decode)
"""The event of a line. Runs that are made again and again up to a crash write the same lines."""


@frozen(kw_only=True)
class Kept:
    """What is left of the lines that were not synced when the process died.

    Attributes:
        lines: how many of them are whole.
        torn: whether half of the one after them is there, too.
    """

    lines: int = 0
    torn: bool = False


@define
class Disk:
    """What one journal has on disk.

    Attributes:
        synced: the bytes that survive.
        written: lines that were written and not synced.
    """

    synced: bytes = b""
    written: list[bytes] = field(factory=list[bytes])

    def sync(self) -> None:
        """Make everything durable that was written."""
        self.synced += b"".join(self.written)
        self.written.clear()

    def crash(self, chance: Chance, kept: Kept | None = None) -> None:
        """Keep some of what was not synced, in order; the line after that may be torn.

        Args:
            chance: decides how much is kept.
            kept: what is, if that is decided already.
        """
        lines = chance.pick(len(self.written) + 1, given=None if kept is None else kept.lines)
        torn = self.written[lines][:-1] if lines < len(self.written) else b""
        some = chance.pick(2 if torn else 1, given=None if kept is None else int(kept.torn))
        half = some * len(torn) // 2
        self.synced += b"".join(self.written[:lines]) + torn[:half]
        self.written.clear()

    def read(self) -> tuple[list[Event], int]:
        """The events of all whole lines, and the length of a torn one, which is cut off."""
        whole = self.synced.rfind(b"\n") + 1
        torn = len(self.synced) - whole
        self.synced = self.synced[:whole]
        return [_decoded(line) for line in self.synced.splitlines()], torn


class SimulatedJournal:
    """A `Journal` on a simulated disk, as one process sees it.

    Args:
        disk: what is there already is read, and a torn line cut off.
        now: the clock, in UTC.
        chance: decides which writes fail.
        process: the number of the one who writes, for the record.
        failing: how likely it is that a write fails.
        failed: called when one does.

    Attributes:
        past: what the journal held before it was opened.
        events: all that was told, also what is not durable.
    """

    def __init__(
        self,
        disk: Disk,
        *,
        now: Callable[[], datetime],
        chance: Chance,
        process: int = 1,
        failing: Callable[[], float] = lambda: 0.0,
        failed: Callable[[], object] = lambda: None,
    ) -> None:
        self.events, torn = disk.read()
        self._disk, self._chance = disk, chance
        self._failing, self._failed = failing, failed
        self._error: JournalError | None = None
        self._folding = Folding()
        self._folding.take_all(self.events)
        self._stamp = Stamp(now, last=self.events[-1] if self.events else None)
        self.past = self.state
        self._accept((Opened(host="simulated", process=process, dropped_bytes=torn),), None)

    @property
    def state(self) -> RunState:
        """The fold of all events."""
        return self._folding.state

    @property
    def whole(self) -> bool:
        """Whether everything that was told is, or will be, on the disk."""
        return self._error is None

    async def append(
        self, *payloads: Payload, cause: int | None = None
    ) -> Result[tuple[Event, ...], JournalError]:
        """Write what happened; what announces an act is durable when this returns."""
        if self._error is not None:
            return Failure(self._error)
        events = self._accept(payloads, cause)
        if not any(map(is_announcement, payloads)):
            return Success(events)
        await virtual_sleep(0)
        error = self._synced()
        return Success(events) if error is None else Failure(error)

    def _synced(self) -> JournalError | None:
        """Make everything durable, or say why nothing is written any more."""
        if self._error is None and self._chance.rarely(2, self._failing()):
            self._error = JournalError(fault=JournalFault.NO_SPACE, message="the disk is full")
            self._disk.written.clear()
            self._failed()
        if self._error is None:
            self._disk.sync()
        return self._error

    def _accept(self, payloads: tuple[Payload, ...], cause: int | None) -> tuple[Event, ...]:
        events = self._stamp.peek(payloads, cause)
        self._folding.take_all(events)
        self._stamp.advance(events)
        self._disk.written.extend(encode(event) + b"\n" for event in events)
        self.events.extend(events)
        return events
