"""A word from a thread to the event loop, whichever library runs that."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, runtime_checkable

from anyio.lowlevel import EventLoopToken


@runtime_checkable
class _AsyncioLoop(Protocol):
    def call_soon_threadsafe(self, callback: Callable[[], object], /) -> object: ...


@runtime_checkable
class _TrioToken(Protocol):
    def run_sync_soon(self, callback: Callable[[], object], /) -> object: ...


def call_soon(token: EventLoopToken, callback: Callable[[], object]) -> None:
    """Run it on that event loop, without waiting for it; a loop that has ended needs nothing."""
    loop = token.native_token
    with suppress(RuntimeError):
        if isinstance(loop, _AsyncioLoop):
            loop.call_soon_threadsafe(callback)
        elif isinstance(loop, _TrioToken):
            loop.run_sync_soon(callback)
