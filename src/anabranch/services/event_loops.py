"""A word from a thread to the event loop, whichever library runs that."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from anyio.lowlevel import EventLoopToken


def call_soon(token: EventLoopToken, callback: Callable[[], object]) -> None:
    """Run it on that event loop, without waiting for it; a loop that has ended needs nothing."""
    loop: Any = token.native_token
    # The first is asyncio's name for it, the second trio's.
    tell = getattr(loop, "call_soon_threadsafe", None) or loop.run_sync_soon
    with suppress(RuntimeError):
        tell(callback)
