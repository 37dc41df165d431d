"""A process from its start to its end, and the end of its whole tree if it must be ended.

    running ── exits ──▶ draining ── outputs end, or `DRAIN` is over ──▶ done
       └── timeout, cancellation ──▶ asked ── grace is over ──▶ killed ── nothing left ──▶ draining

A process that exits may leave something behind that holds its outputs open; what has not
come in `DRAIN` later is not waited for.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, final

from anyio import CancelScope, move_on_after

from anabranch.services.processes.child import Child, Exit
from anabranch.services.processes.ending import end
from anabranch.services.processes.pump import Pump

DRAIN: Final = timedelta(seconds=1)


@final
class Attendance:
    """Sees one process through.

    Args:
        limit: how long it may run; `None` is for ever.
        grace: between asking its tree to end and killing it.

    Attributes:
        timed_out: whether it was ended because its time was over.
        gone: whether nothing of its tree is left, once it was ended.
        ended: how the process itself ended; its code is `None` if that cannot be known.
    """

    def __init__(
        self, pump: Pump, child: Child, *, limit: timedelta | None, grace: timedelta
    ) -> None:
        self._pump = pump
        self._child = child
        self._limit = limit
        self._grace = grace
        self.timed_out = False
        self.gone = False
        self.ended = Exit(code=None)

    async def attend(self) -> None:
        """Return when the process has ended.

        On cancellation, on an interrupt and on a defect in a listener the tree is ended first.
        """
        try:
            self._pump.watch()
            await self._see_through()
        except BaseException:
            self._pump.silence()
            with CancelScope(shield=True):
                await self._end()
                await self._drain()
            raise
        self.ended = self._pump.ended or self.ended

    async def _see_through(self) -> None:
        if self._limit is None:
            await self._exited()
        else:
            with move_on_after(self._limit.total_seconds()):
                await self._exited()
        if self._pump.look() is None:
            self.timed_out = True
            await self._end()
            self.gone = self._child.gone()
        await self._drain()

    async def _exited(self) -> None:
        while self._pump.ended is None:
            await self._pump.turn()

    async def _drain(self) -> None:
        self._pump.serve()
        if self._pump.finished:
            return
        with move_on_after(DRAIN.total_seconds()):
            while not self._pump.finished:
                await self._pump.turn()

    async def _end(self) -> None:
        await end([self._child], self._grace, self._serve)

    async def _serve(self) -> None:
        while True:
            await self._pump.turn()
