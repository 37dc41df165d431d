"""Contenders side by side: interleaved in one process, so that a busy machine is busy for all."""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable, Mapping

Contender = Callable[[], Awaitable[object]]


async def interleaved(contenders: Mapping[str, Contender], rounds: int = 7) -> dict[str, float]:
    """The shortest CPU time of each contender, in seconds, over some rounds in which each runs once."""
    shortest = dict.fromkeys(contenders, float("inf"))
    for _ in range(rounds):
        for name, contender in contenders.items():
            gc.collect()
            began = time.process_time()
            await contender()
            shortest[name] = min(shortest[name], time.process_time() - began)
    return shortest


def show(what: str, figure: str, at_most: str = "") -> None:
    """One row of the table."""
    print(f"{what:<72} {figure:>12} {at_most:>12}", flush=True)
