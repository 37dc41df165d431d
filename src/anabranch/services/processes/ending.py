"""How a tree of processes is ended: asked, given its grace, then killed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

from anyio import move_on_after, sleep_forever

from anabranch.services.processes.child import Child

LAST_RESORT: Final = timedelta(seconds=10)
_LONGEST_PAUSE: Final = 0.05


async def end(
    children: Sequence[Child],
    grace: timedelta,
    meanwhile: Callable[[], Awaitable[None]] = sleep_forever,
) -> None:
    """Return when nothing is left of some trees, or when even killing has not helped.

    Interrupted, it kills at once.

    Args:
        children: whose trees to end.
        grace: between asking and killing.
        meanwhile: what to do while waiting; it need not return.
    """
    try:
        for child in children:
            child.ask()
        await _gone(children, grace, meanwhile)
    finally:
        for child in children:
            if not child.gone():
                child.kill()
    await _gone(children, LAST_RESORT, meanwhile)


async def _gone(
    children: Sequence[Child], limit: timedelta, meanwhile: Callable[[], Awaitable[None]]
) -> None:
    pause = 0.001
    with move_on_after(limit.total_seconds()):
        while not all(child.gone() for child in children):
            with move_on_after(pause):
                await meanwhile()
            pause = min(2 * pause, _LONGEST_PAUSE)
