"""The live interpreter on both event loops, in virtual time: a wait takes none.

A deadlock is an error, not a hang.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from typing import Any, Final

import anyio
import trio.testing
from attrs import frozen
from returns.result import Result

from anabranch import Effect, run_async
from anabranch.interpreters import Backend, Tracer

BACKENDS: Final[tuple[Backend, ...]] = ("asyncio", "trio")


class DeadlockError(Exception):
    """Everything waits, and for nothing."""


class _Selector(selectors.SelectSelector):
    """Instead of waiting, moves the clock."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise DeadlockError
        if not ready:
            self.now += timeout or 0
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock is moved instead of waited for."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


@frozen
class CancelledRun:
    """The run was cancelled from outside."""


def run_live(
    effect: Effect[Any, Any, Any],
    env: Any,
    backend: Backend,
    *,
    cancel_at: float = math.inf,
    tracer: Tracer | None = None,
) -> Result[Any, Any] | CancelledRun:
    """Run from moment 0 with an outer cancellation at `cancel_at`."""

    async def main() -> Result[Any, Any] | CancelledRun:
        with anyio.CancelScope(deadline=cancel_at):
            return await run_async(effect, env, tracer=tracer)
        return CancelledRun()

    options: dict[Backend, dict[str, Any]] = {
        "asyncio": {"loop_factory": VirtualLoop},
        "trio": {"clock": trio.testing.MockClock(autojump_threshold=0)},
    }
    return anyio.run(main, backend=backend, backend_options=options[backend])
