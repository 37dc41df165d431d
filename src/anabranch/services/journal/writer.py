"""Group commit: one thread writes, everybody else goes on.

Lines that are handed in while the disk is busy are written together, with one sync for all of
them. While syncs come thick and fast, the thread waits before each for a small share of what the
last one took, so that those who were woken by it and go on together are written together too; who
comes seldom does not wait for company. A line that nobody waits for wakes nobody either: it goes with
the next one that somebody does wait for, or alone a moment later. The first error is the last
thing that happens: nothing more is written, and every batch from then on carries that error.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from enum import IntEnum
from typing import Final, final

import anyio
from anyio.lowlevel import EventLoopToken, current_token

from anabranch.environment import JournalError, JournalFault
from anabranch.services.event_loops import call_soon

_SHARE: Final = 0.2
"""How much of the last sync's time is spent on waiting for company before the next."""

_OFTEN: Final = 10
"""Syncs come thick and fast if less than this many times what one takes lies between them."""

_SOON_SECONDS: Final = 0.025
"""How long a line that nobody waits for may lie about."""


class _Wakes(IntEnum):
    """What the thread is to be woken for."""

    NEVER = 0
    WANTED = 1
    ALWAYS = 2


@final
class Batch:
    """Lines that become durable together; `wanted` as soon as somebody waits for them."""

    __slots__ = ("_event", "_token", "done", "error", "lines", "wanted")

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.done = self.wanted = False
        self.error: JournalError | None = None
        self._event: anyio.Event | None = None
        self._token: EventLoopToken | None = None

    def watched(self) -> anyio.Event:
        """What is set, on the caller's event loop, when the batch is done."""
        if self._event is None:
            self._event, self._token = anyio.Event(), current_token()
        return self._event

    def finish(self, error: JournalError | None) -> None:
        """Tell that the lines are durable, or why they are not."""
        self.error, self.done = error, True
        if self._event is not None and self._token is not None:
            call_soon(self._token, self._event.set)


@final
class Writer:
    """The thread that writes.

    Args:
        commit: writes bytes durably, or answers why it could not.
    """

    def __init__(self, commit: Callable[[bytes], JournalError | None]) -> None:
        self._commit = commit
        self._changed = threading.Condition()
        self._batch = Batch()
        self._closing, self._wakes = False, _Wakes.NEVER
        self._error: JournalError | None = None
        self._began, self._pause_seconds = -math.inf, 0.0
        self._thread = threading.Thread(target=self._run, name="anabranch-journal", daemon=True)
        self._thread.start()

    @property
    def error(self) -> JournalError | None:
        """Why nothing is written any more; `None` while all is well."""
        return self._error

    @property
    def lock(self) -> threading.Condition:
        """Held by whoever numbers events and hands them in, so that the two go together."""
        return self._changed

    def add(self, line: bytes, *, wanted: bool) -> Batch:
        """Hand in a line; the batch it is in is the answer. Only under the lock.

        Args:
            line: what to write.
            wanted: whether somebody waits for it.
        """
        self._batch.lines.append(line)
        self._batch.wanted = self._batch.wanted or wanted
        if self._wakes >= (_Wakes.WANTED if wanted else _Wakes.ALWAYS):
            self._wakes = _Wakes.NEVER
            self._changed.notify()
        return self._batch

    def close(self) -> None:
        """Write what is left, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            error = self._error or self._committed(b"".join(batch.lines))
            with self._changed:
                self._error = error
                batch.finish(error)

    def _committed(self, data: bytes) -> JournalError | None:
        before, self._began = self._began, time.monotonic()
        try:
            return self._commit(data)
        except Exception as defect:  # noqa: BLE001 (whoever waits must hear of it)
            return JournalError(fault=JournalFault.IO, message=f"the journal broke: {defect!r}")
        finally:
            took = time.monotonic() - self._began
            often = self._began - before < _OFTEN * took
            self._pause_seconds = _SHARE * took if often else 0.0

    def _next(self) -> Batch | None:
        with self._changed:
            while not (self._batch.wanted or self._closing):
                self._wait(_Wakes.WANTED, _SOON_SECONDS)
                if self._batch.lines:
                    break
                self._wait(_Wakes.ALWAYS)
            if not self._batch.lines:
                return None
            self._wait(_Wakes.NEVER, self._pause_seconds)
            batch, self._batch = self._batch, Batch()
            return batch

    def _wait(self, wakes: _Wakes, seconds: float | None = None) -> None:
        if not self._closing and seconds != 0:
            self._wakes = wakes
            self._changed.wait(seconds)
            self._wakes = _Wakes.NEVER
