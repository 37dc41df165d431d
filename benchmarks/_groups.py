"""Many effects at once, against the best that can be written by hand."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Never

from returns.result import Failure, Result, Success

from anabranch import (
    Effect,
    from_async,
    from_function,
    par_graph,
    par_traverse,
    par_try_all,
    run_async,
    sleep,
    succeed,
)
from benchmarks._timing import Contender

ITEMS = 100_000
LIMIT = 16

Work = Callable[[int], Awaitable[Result[int, Never]]]


async def never_suspends(item: int) -> Result[int, Never]:
    return Success(item)


async def suspends_once(item: int) -> Result[int, Never]:
    loop = asyncio.get_running_loop()
    woken = loop.create_future()
    loop.call_soon(woken.set_result, None)
    await woken
    return Success(item)


async def bare_pool(work: Work) -> list[Result[int, Never] | None]:
    """16 workers that pull from one iterator: the least that keeps order and limit."""
    items, results = iter(range(ITEMS)), list[Result[int, Never] | None]([None]) * ITEMS

    async def worker() -> None:
        for item in items:
            results[item] = await work(item)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(LIMIT):
            tasks.create_task(worker())
    return results


async def our_pool(work: Work) -> object:
    def leaf(item: int) -> Effect[int, Never, object]:
        return from_async(lambda _: work(item))

    return await run_async(par_traverse(range(ITEMS), leaf, LIMIT))


def pools(work: Work) -> dict[str, Contender]:
    return {"bare pool": partial(bare_pool, work), "par_traverse": partial(our_pool, work)}


async def wind_down() -> float:
    """CPU seconds from the first failure to the result, with 10⁵ items waiting for their turn."""
    failed_at = 0.0

    def give_up(_: object) -> Result[Never, str]:
        nonlocal failed_at
        failed_at = time.process_time()
        return Failure("no")

    waiting = sleep("1h")
    failing = sleep(0.01).and_then(lambda _: from_function(give_up))
    effects = [waiting] * (LIMIT - 1) + [failing] + [waiting] * ITEMS
    await run_async(par_try_all(effects, LIMIT))
    return time.process_time() - failed_at


async def longest_gap(effect: Effect[object, object, object]) -> float:
    """The longest CPU time for which another task had no turn while the effect ran."""
    longest, over = 0.0, False

    async def watch() -> None:
        nonlocal longest
        last = time.process_time()
        while not over:
            await asyncio.sleep(0)
            now = time.process_time()
            longest, last = max(longest, now - last), now

    watcher = asyncio.create_task(watch())
    await asyncio.sleep(0)
    kept = await run_async(effect)  # throwing away 10⁵ values takes a while, and is not our doing
    over = True
    await watcher
    del kept
    return longest


def never_suspending(count: int) -> dict[str, Effect[object, object, object]]:
    """Effects that would keep the loop for themselves, if the interpreter let them."""
    chain: Effect[int, Never, object] = succeed(0)
    for _ in range(count):
        chain = chain.and_then(lambda number: succeed(number + 1))
    return {
        "a chain": chain,
        "plain leaves": par_traverse(range(count), succeed, LIMIT),
        "async leaves": par_traverse(
            range(count), lambda item: from_async(lambda _: never_suspends(item)), LIMIT
        ),
    }


# --- a graph -----------------------------------------------------------------------------------

Graph = dict[int, list[int]]


def some_graph(nodes: int = 10_000, edges: int = 30_000) -> Graph:
    """For each node, the nodes that come first; the same graph every time."""
    chance, graph = random.Random(7), {node: list[int]() for node in range(nodes)}
    for _ in range(edges):
        before, after = sorted(chance.sample(range(nodes), 2))
        graph[after].append(before)
    return {node: sorted(set(before)) for node, before in graph.items()}


async def graph_by_hand(graph: Graph) -> dict[int, int]:
    """A task for each node, made when the last of its dependencies is done."""
    missing = {node: len(before) for node, before in graph.items()}
    dependents: Graph = {node: [] for node in graph}
    for node, before in graph.items():
        for other in before:
            dependents[other].append(node)
    values: dict[int, int] = {}

    async def run(node: int) -> None:
        values[node] = (await never_suspends(node)).unwrap()
        for dependent in dependents[node]:
            missing[dependent] -= 1
            if not missing[dependent]:
                tasks.create_task(run(dependent))

    async with asyncio.TaskGroup() as tasks:
        for node in [node for node, count in missing.items() if not count]:
            tasks.create_task(run(node))
    return values


async def graph_as_effect(graph: Graph) -> object:
    return await run_async(par_graph({node: succeed(node) for node in graph}, graph))


def graphs(graph: Graph) -> dict[str, Contender]:
    return {"by hand": partial(graph_by_hand, graph), "par_graph": partial(graph_as_effect, graph)}
