"""Blocking work off the event loop, a bounded number of threads at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

T = TypeVar("T")

_THREADS: Final = 16

_limiter: RunVar[CapacityLimiter] = RunVar("anabranch_git_threads")


async def in_thread(function: Callable[[], T]) -> T:
    """Run a blocking function in a worker thread, to its end also if the caller is cancelled.

    The threads are not those of `anyio.to_thread`'s default: long commands may hold those.
    """
    try:
        limiter = _limiter.get()
    except LookupError:
        limiter = CapacityLimiter(_THREADS)
        _limiter.set(limiter)
    return await to_thread.run_sync(function, limiter=limiter)
