"""Simulated runs a second: a graph of 160 steps, at most 8 at once, durations and failures drawn.

The same graph, with the same number of retries on average, by hand on a virtual clock under asyncio, under
trio's MockClock, and on `looptime` and `detangle`, if they are installed. CPU time, since
none of them waits.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from returns.result import Failure, Result, Success

from anabranch import Effect, RetryPolicy, from_async, par_graph, retry
from anabranch.testing import virtual_sleep
from anabranch.testing.simulation import Chance, simulate
from benchmarks._timing import show
from property_tests.effects.virtual import VirtualLoop

STEPS, LIMIT, ATTEMPTS = 160, 8, 5
FLAKY: Final = 0.05
SECONDS: Final = 3.0
BATCH: Final = 10
"""How many runs one call of `simulate` makes."""


def dependencies() -> dict[int, tuple[int, ...]]:
    """Each step needs up to two of the twenty before it."""
    draw = random.Random(1)
    return {
        step: tuple(sorted(draw.sample(range(max(0, step - 20), step), min(step, 2))))
        for step in range(STEPS)
    }


NEEDS: Final = dependencies()


# --- ours --------------------------------------------------------------------------------------


def step(number: int) -> Effect[int, str, Chance]:
    async def work(chance: Chance) -> Result[int, str]:
        await virtual_sleep(chance.between(0, 10))
        return Failure("flaky") if chance.rarely(2, FLAKY) else Success(number)

    return retry(from_async(work), RetryPolicy.fixed(1, max_attempts=ATTEMPTS))


GRAPH: Final = par_graph({number: step(number) for number in range(STEPS)}, NEEDS, limit=LIMIT)


def ours(seed: int) -> None:
    simulate(GRAPH, lambda chance: chance, seed=seed * BATCH, schedules=BATCH)


# --- by hand, with futures and a semaphore -----------------------------------------------------


async def _graph_by_hand(seed: int) -> None:
    draw = random.Random(seed).random
    room = asyncio.Semaphore(LIMIT)
    done = [asyncio.Event() for _ in range(STEPS)]

    async def one(number: int) -> None:
        for needed in NEEDS[number]:
            await done[needed].wait()
        async with room:
            for _ in range(ATTEMPTS):
                await asyncio.sleep(draw() * 10)
                if draw() >= FLAKY:
                    break
                await asyncio.sleep(1)
        done[number].set()

    async with asyncio.TaskGroup() as tasks:
        for number in range(STEPS):
            tasks.create_task(one(number))


def on_asyncio(seed: int) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(_graph_by_hand(seed))


def on_trio() -> Callable[[int], None]:
    trio: Any = import_module("trio")
    testing: Any = import_module("trio.testing")

    async def graph(seed: int) -> None:
        draw = random.Random(seed).random
        room = trio.CapacityLimiter(LIMIT)
        done = [trio.Event() for _ in range(STEPS)]

        async def one(number: int) -> None:
            for needed in NEEDS[number]:
                await done[needed].wait()
            async with room:
                for _ in range(ATTEMPTS):
                    await trio.sleep(draw() * 10)
                    if draw() >= FLAKY:
                        break
                    await trio.sleep(1)
            done[number].set()

        async with trio.open_nursery() as nursery:
            for number in range(STEPS):
                nursery.start_soon(one, number)

    return lambda seed: trio.run(graph, seed, clock=testing.MockClock(autojump_threshold=0))


def on_looptime() -> Callable[[int], None]:
    looptime: Any = import_module("looptime")

    def run(seed: int) -> None:
        with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
            runner.run(_graph_by_hand(seed))

    return run


def on_detangle() -> Callable[[int], None]:
    detangle: Any = import_module("detangle")
    return lambda seed: detangle.run(_graph_by_hand(seed), seed=seed)


PEERS: Final[dict[str, Callable[[], Callable[[int], None]]]] = {
    "asyncio by hand, a loop with a virtual clock": lambda: on_asyncio,
    "trio by hand, MockClock": on_trio,
    "asyncio by hand, looptime": on_looptime,
    "asyncio by hand, detangle": on_detangle,
}


def installed() -> dict[str, Callable[[int], None]]:
    """What can be run here, ours first."""
    found: dict[str, Callable[[int], None]] = {"anabranch, simulate": ours}
    for name, load in PEERS.items():
        try:
            contender = load()
            contender(0)
        except ImportError as error:
            print(f"left out: {name} ({error})")
        else:
            found[name] = contender
    return found


def rates(contenders: dict[str, Callable[[int], None]]) -> dict[str, float]:
    """Runs in a second of CPU time, interleaved."""
    spent, runs, seed = dict.fromkeys(contenders, 0.0), dict.fromkeys(contenders, 0), 0
    while min(spent.values()) < SECONDS:
        seed += 1
        for name, contender in contenders.items():
            if spent[name] < SECONDS:
                began = time.process_time()
                contender(seed)
                spent[name] += time.process_time() - began
                runs[name] += BATCH if contender is ours else 1
    return {name: runs[name] / spent[name] for name in contenders}


def main() -> None:
    contenders = installed()
    found = rates(contenders)
    first = next(iter(found.values()))
    for name, rate in found.items():
        bound = ">= 1000 /s" if rate is first else ""
        show(name, f"{rate:.0f} /s", bound or f"x{first / rate:.1f}")


if __name__ == "__main__":
    main()
