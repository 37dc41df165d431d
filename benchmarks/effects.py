"""What effects cost: each figure beside what it is compared with, interleaved in one process.

    python -m benchmarks.effects

Ratios are of the shortest times. Peers come with `pip install anabranch[peers]`.
"""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Never

from anabranch import Effect, run, succeed
from benchmarks._groups import (
    graphs,
    longest_gap,
    never_suspending,
    never_suspends,
    pools,
    some_graph,
    suspends_once,
    wind_down,
)
from benchmarks._peers import STEPS as PEER_STEPS
from benchmarks._peers import installed
from benchmarks._steps import OURS, STEPS
from benchmarks._timing import interleaved, show

DEEP = 1_000_000


async def steps() -> None:
    peers = installed()
    times = await interleaved(OURS | peers, rounds=30)
    unit = times["by hand"] / STEPS
    show("one step by hand, an await of a Result", f"{unit * 1e6:.3f} µs")
    for name, at_most in [
        ("do-notation", "1.0x"),
        ("and_then, build and run", "1.8x"),
        ("and_then, run alone", "1.2x"),
    ]:
        show(f"one step, {name}", f"{times[name] / STEPS / unit:.2f}x", at_most)
    for name in peers:
        show(f"one step, {name}", f"{times[name] / PEER_STEPS / unit:.2f}x", "(peer)")


async def groups() -> None:
    for work, at_most in [(never_suspends, "6x"), (suspends_once, "1.3x")]:
        times = await interleaved(pools(work), rounds=3)
        ratio = times["par_traverse"] / times["bare pool"]
        show(f"10⁵ items, limit 16, leaf {work.__name__}, / bare pool", f"{ratio:.2f}x", at_most)
    times = await interleaved(graphs(some_graph()), rounds=5)
    ratio = times["par_graph"] / times["by hand"]
    show("par_graph of 10⁴ nodes, 3·10⁴ edges, / asyncio by hand", f"{ratio:.2f}x", "1.0x")
    down = min([await wind_down() for _ in range(3)])
    show("wind-down after a failure with 10⁵ items waiting", f"{down * 1e3:.2f} ms", "1 ms")
    for name, effect in never_suspending(100_000).items():
        gap = min([await longest_gap(effect) for _ in range(3)])
        show(f"longest gap for other tasks beside {name}", f"{gap * 1e3:.2f} ms", "1 ms")


def memory() -> None:
    """Peak memory of a process of its own, before and after a million items."""
    program = """
import resource
from anabranch import par_fold, run, succeed
def fold(count):
    run(par_fold((succeed(n) for n in range(count)), 16, 0, lambda total, n: total + n))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = fold(1_000)
print((fold(1_000_000) - before) / 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    show("peak memory of 10⁶ items through par_fold(16)", f"{float(done.stdout):.1f} MiB", "5 MiB")


def nested_left() -> Effect[int, Never, object]:
    effect = succeed(0)
    for _ in range(DEEP):
        effect = effect.and_then(succeed)
    return effect


def nested_right(count: int = DEEP) -> Effect[int, Never, object]:
    return succeed(count).and_then(lambda n: nested_right(n - 1) if n else succeed(0))


def deep() -> None:
    left = nested_left()
    looks: dict[str, Callable[[], object]] = {
        "run, nested to the left": lambda: run(left),
        "run, nested to the right": lambda: run(nested_right()),
        "repr": lambda: repr(left),
        "==": lambda: left == nested_left(),
        "hash": lambda: hash(left),
        "pickle and back": lambda: pickle.loads(pickle.dumps(left)),
    }
    for name, seconds in timed(looks):
        show(f"10⁶ nested and_then: {name}", f"{seconds:.2f} s", "runs")


def timed(looks: dict[str, Callable[[], object]]) -> Iterator[tuple[str, float]]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(150)
    try:
        for name, look in looks.items():
            began = time.perf_counter()
            look()
            yield name, time.perf_counter() - began
    finally:
        sys.setrecursionlimit(limit)


if __name__ == "__main__":
    show("what", "figure", "at most")
    asyncio.run(steps())
    asyncio.run(groups())
    memory()
    deep()
