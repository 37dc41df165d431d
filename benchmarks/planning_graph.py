"""Dependency graphs: against peers, with themselves at another size, and schedules against bounds.

    python -m benchmarks.planning_graph [rounds]

The peers are networkx and rustworkx (the `peers` extra) and `graphlib` of the standard library,
which has levels but neither weights nor paths: its critical path is a loop by hand over its
order. Everyone starts from the same list of edges, the rounds are interleaved in one process and
the best round of each counts, in CPU time.
"""

from __future__ import annotations

import gc
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from graphlib import TopologicalSorter
from importlib import import_module
from typing import Any

from anabranch.planning import Command, CommandGraph, Limits, analyze_dependencies, plan_schedule
from benchmarks._timing import show

networkx: Any = import_module("networkx")
rustworkx: Any = import_module("rustworkx")

NODES, EDGES = 100_000, 300_000
Edges = list[tuple[int, int]]
Answer = tuple[int, int]


def random_edges(chance: random.Random, nodes: int, edges: int) -> Edges:
    ends = (sorted(chance.sample(range(nodes), 2)) for _ in range(edges))
    return [(before, after) for before, after in ends]


def ours(edges: Edges, seconds: list[int]) -> Answer:
    graph = CommandGraph.from_edges(NODES, edges)
    durations = [timedelta(seconds=s) for s in seconds]
    path = graph.critical_path(durations)
    return len(graph.parallel_batches()), path.length // timedelta(seconds=1)


def by_graphlib(edges: Edges, seconds: list[int]) -> Answer:
    waits: dict[int, list[int]] = {node: [] for node in range(NODES)}
    for before, after in edges:
        waits[after].append(before)
    sorter = TopologicalSorter(waits)
    sorter.prepare()
    levels, end = 0, [0] * NODES
    while sorter.is_active():
        ready = sorter.get_ready()
        for node in ready:
            end[node] = seconds[node] + max((end[before] for before in waits[node]), default=0)
        sorter.done(*ready)
        levels += 1
    return levels, max(end)


def by_networkx(edges: Edges, seconds: list[int]) -> Answer:
    graph: Any = networkx.DiGraph()
    graph.add_nodes_from(range(NODES + 1))
    graph.add_weighted_edges_from((b, a, seconds[b]) for b, a in edges)
    levels = sum(1 for _ in networkx.topological_generations(graph))
    graph.add_weighted_edges_from((b, NODES, seconds[b]) for b in range(NODES))
    return levels, networkx.dag_longest_path_length(graph)


def weight_of(_before: int, _after: int, weight: int) -> int:
    return weight


def by_rustworkx(edges: Edges, seconds: list[int]) -> Answer:
    graph: Any = rustworkx.PyDiGraph()
    graph.add_nodes_from(range(NODES + 1))
    graph.add_edges_from([(b, a, seconds[b]) for b, a in edges])
    levels = sum(1 for _ in rustworkx.topological_generations(graph))
    graph.add_edges_from([(b, NODES, seconds[b]) for b in range(NODES)])
    length = rustworkx.dag_longest_path_length(graph, weight_fn=weight_of)
    return levels, length


def best(contenders: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The shortest CPU time of each, over rounds in which each runs once."""
    shortest = dict.fromkeys(contenders, float("inf"))
    for _ in range(rounds):
        for name, contender in contenders.items():
            gc.collect()
            began = time.process_time()
            contender()
            shortest[name] = min(shortest[name], time.process_time() - began)
    return shortest


WORK: Mapping[str, Callable[[Edges, list[int]], Answer]] = {
    "anabranch": ours,
    "graphlib, by hand": by_graphlib,
    "networkx": by_networkx,
    "rustworkx": by_rustworkx,
}


def against_peers(what: str, edges: Edges, seconds: list[int], rounds: int) -> None:
    answers = {name: answer(edges, seconds) for name, answer in WORK.items()}
    assert len(set(answers.values())) == 1, answers
    times = best({name: partial(f, edges, seconds) for name, f in WORK.items()}, rounds)
    for name, taken in times.items():
        ratio = f"x {taken / times['anabranch']:.2f}"
        show(f"levels and critical path, {what}: {name}", f"{taken:.3f} s", ratio)


def all_against_peers(rounds: int) -> None:
    chance = random.Random(1)
    edges = random_edges(chance, NODES, EDGES)
    seconds = [chance.randint(1, 100) for _ in range(NODES)]
    names = chance.sample(range(NODES), NODES)
    shuffled = [(names[before], names[after]) for before, after in chance.sample(edges, EDGES)]
    print(f"{NODES:,} nodes, {EDGES:,} edges")
    against_peers("numbered in order", edges, seconds, rounds)
    against_peers("numbered at random", shuffled, seconds, rounds)


def commands(count: int) -> list[Command]:
    """Assignments and readers, quoted and not, over a thousand variables."""
    chance = random.Random(2)

    def one() -> Command:
        first, second = chance.randrange(1000), chance.randrange(1000)
        forms = [f"V{first}=$V{second}", f'echo "$V{first}"', f"echo $V{first}", f"V{first}=1"]
        return Command(chance.choice(forms))

    return [one() for _ in range(count)]


def scaling(rounds: int) -> None:
    small, large = commands(10_000), commands(100_000)
    times = best(
        {
            "small": lambda: analyze_dependencies(small),
            "large": lambda: analyze_dependencies(large),
        },
        rounds,
    )
    show("analysis of 100,000 commands over 1,000 variables", f"{times['large']:.2f} s")
    show("the same, against 10,000 commands", f"{times['large'] / times['small']:.1f} x", "<= 12")


def makespans() -> None:
    chance = random.Random(3)
    ratios: list[float] = []
    for _ in range(1000):
        nodes, slots = chance.randint(5, 100), chance.randint(2, 16)
        edges = [p for p in pairs(nodes) if chance.random() < 0.1]
        durations = [timedelta(seconds=chance.uniform(0.1, 60)) for _ in range(nodes)]
        graph = CommandGraph.from_edges(nodes, edges)
        made = plan_schedule(graph, durations, limits=Limits(slots=slots))
        work = sum(durations, timedelta())
        ratios.append(made.makespan / max(graph.critical_path(durations).length, work / slots))
    show(
        "makespan over max(critical path, work / slots), 1,000 DAGs: mean",
        f"{statistics.mean(ratios):.4f}",
        "<= 1.05",
    )
    show("the same: worst", f"{max(ratios):.3f}", "<= 1.5")


def pairs(nodes: int) -> Iterable[tuple[int, int]]:
    return ((before, after) for after in range(nodes) for before in range(after))


def main(rounds: int = 5) -> None:
    all_against_peers(rounds)
    scaling(rounds)
    makespans()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
