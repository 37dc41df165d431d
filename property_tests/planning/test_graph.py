from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from graphlib import TopologicalSorter
from itertools import combinations, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anabranch.planning import scoreboard
from anabranch.planning.access import AccessSet
from anabranch.planning.antichain import largest_antichain
from anabranch.planning.command_access import shared_access_of
from anabranch.planning.commands import Command
from anabranch.planning.digraph import elementary_cycles
from anabranch.planning.graph import CommandGraph, analyze_dependencies
from anabranch.testing.strategies.graphs import (
    access_sets,
    acyclic_edges,
    command_graphs,
    command_lists,
)
from anabranch.values import ConfigError


def closure(count: int, edges: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """The slow and obvious transitive closure."""
    reach = set(edges)
    for middle in range(count):
        reach |= {(a, d) for a, b in reach for c, d in reach if b == c == middle}
    return reach


def closure_of(graph: CommandGraph) -> set[tuple[int, int]]:
    return closure(len(graph.names), graph.edges)


@given(st.lists(access_sets(), max_size=7))
def test_the_scoreboard_orders_exactly_what_all_pairs_order(accesses: list[AccessSet]) -> None:
    pairs = combinations(range(len(accesses)), 2)
    conflicts = [(a, b) for a, b in pairs if accesses[a].conflicts_with(accesses[b])]
    expected = closure(len(accesses), conflicts)
    assert expected == closure_of(CommandGraph.from_accesses(accesses))


@given(st.lists(access_sets(), max_size=9))
def test_joins_change_nothing_but_the_size(accesses: list[AccessSet]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoreboard, "_SMALL_JOIN", 0)
        with_joins = CommandGraph.from_accesses(accesses)
    without = CommandGraph.from_accesses(accesses)
    ones = [timedelta(seconds=1)] * len(accesses)
    assert closure_of(without) == closure_of(with_joins)
    assert without.levels == with_joins.levels
    assert without.width == with_joins.width
    assert without.critical_path(ones).length == with_joins.critical_path(ones).length
    assert without.critical_path(ones).slack == with_joins.critical_path(ones).slack


@given(command_lists())
def test_every_conflicting_pair_and_every_explicit_dependency_is_ordered(
    commands: list[Command],
) -> None:
    ordered = closure_of(analyze_dependencies(commands))
    names = [command.name for command in commands]
    assert ordered >= {(names.index(n), at) for at, c in enumerate(commands) for n in c.depends_on}
    accesses = [shared_access_of(command) for command in commands]
    for a, b in combinations(range(len(commands)), 2):
        if accesses[a].conflicts_with(accesses[b]):
            assert {(a, b), (b, a)} & ordered


@given(command_graphs())
def test_each_batch_needs_only_the_batches_before_it(graph: CommandGraph) -> None:
    batches = graph.parallel_batches()
    assert list(range(len(graph.names))) == sorted(n for batch in batches for n in batch)
    for before, after in graph.edges:
        assert graph.levels[before] < graph.levels[after]
    for batch, following in pairwise(batches):
        for command in following:
            assert set(graph.dependencies[command]) & set(batch)


@given(command_graphs())
def test_a_reduction_keeps_the_order_and_no_edge_can_be_spared(graph: CommandGraph) -> None:
    reduced = graph.transitive_reduction()
    assert closure_of(graph) == closure_of(reduced)
    for edge in reduced.edges:
        others = [other for other in reduced.edges if other != edge]
        assert edge not in closure(len(graph.names), others)


@given(command_graphs(max_size=8))
def test_the_width_is_the_size_of_the_largest_antichain(graph: CommandGraph) -> None:
    assert widest(len(graph.names), closure_of(graph)) == graph.width


def widest(commands: int, reach: set[tuple[int, int]]) -> int:
    """The size of the largest set of commands of which none reaches another, by trying all."""
    apart = {(a, b) for a in range(commands) for b in range(commands)} - reach
    return max(
        size
        for size in range(commands + 1)
        for chosen in combinations(range(commands), size)
        if all((a, b) in apart and (b, a) in apart for a, b in combinations(chosen, 2))
    )


@given(acyclic_edges(max_size=9), st.integers(0, 9))
@example((7, [(0, 1), (1, 2), (1, 5), (1, 6), (3, 2), (4, 2)]), 7)
def test_nodes_that_only_join_commands_are_not_counted_in_the_width(
    graph: tuple[int, list[tuple[int, int]]], commands: int
) -> None:
    count, edges = graph[0], sorted(set(graph[1]))
    commands = min(commands, count)
    before = [[a for a, b in edges if b == node] for node in range(count)]
    after = [[b for a, b in edges if a == node] for node in range(count)]
    order = list(TopologicalSorter(dict(enumerate(before))).static_order())
    width = largest_antichain(order, after, before, commands)
    assert widest(commands, closure(count, edges)) == width


@given(command_graphs(max_size=7), st.data())
def test_the_critical_path_is_the_longest_of_all_paths(
    graph: CommandGraph, data: st.DataObject
) -> None:
    count = len(graph.names)
    tenths = data.draw(st.lists(st.integers(0, 9), min_size=count, max_size=count))
    durations = [timedelta(seconds=n) / 10 for n in tenths]
    path = graph.critical_path(durations)
    paths = _paths(graph)
    assert path.length == max((_total(durations, p) for p in paths), default=timedelta())
    assert path.length == _total(durations, path.commands)
    assert all(pair in graph.edges for pair in pairwise(path.commands))
    for command in range(count):
        through = max(_total(durations, p) for p in paths if command in p)
        assert path.length - through == path.slack[command]


def _total(durations: Sequence[timedelta], commands: Sequence[int]) -> timedelta:
    return sum((durations[command] for command in commands), timedelta())


def _paths(graph: CommandGraph) -> list[list[int]]:
    ending: dict[int, list[list[int]]] = {}
    for node in graph.order:
        before = [path for n in graph.dependencies[node] for path in ending[n]]
        ending[node] = [[node], *([*path, node] for path in before)]
    return [path for paths in ending.values() for path in paths]


@st.composite
def any_successors(draw: st.DrawFn) -> list[list[int]]:
    count = draw(st.integers(0, 5))
    node = st.integers(0, max(count - 1, 0))
    return [sorted(draw(st.sets(node, max_size=count))) for _ in range(count)]


@given(any_successors())
def test_the_cycles_found_are_all_the_elementary_cycles(successors: list[list[int]]) -> None:
    assert sorted(_cycles_by_search(successors)) == elementary_cycles(successors, 10_000)


@given(any_successors(), st.integers(1, 5))
def test_under_a_limit_every_knot_still_shows_a_cycle(
    successors: list[list[int]], limit: int
) -> None:
    everything = elementary_cycles(successors, 10_000)
    found = elementary_cycles(successors, limit)
    assert min(limit, len(everything)) == len(found)
    assert all(cycle in everything for cycle in found)


def _cycles_by_search(successors: list[list[int]]) -> list[list[int]]:
    found: list[list[int]] = []

    def extend(path: list[int]) -> None:
        for target in successors[path[-1]]:
            if target == path[0] and len(path) > 1:
                found.append(path)
            elif target > path[0] and target not in path:
                extend([*path, target])

    for start in range(len(successors)):
        extend([start])
    return found


@given(acyclic_edges(), st.data())
def test_closing_any_path_makes_a_cycle_that_is_named(
    graph: tuple[int, list[tuple[int, int]]], data: st.DataObject
) -> None:
    count, edges = graph
    if not edges:
        return
    before, after = data.draw(st.sampled_from(edges))
    names = [f"step-{at}" for at in range(count)]
    with pytest.raises(ConfigError) as caught:
        CommandGraph.from_edges(count, [*edges, (after, before)], names=names)
    for problem in caught.value.problems:
        assert "cycle" == problem.code
        story = str(problem.value).split(" -> ")
        steps = [names.index(name) for name in story]
        assert steps[0] == steps[-1]
        assert set(pairwise(steps)) <= {*edges, (after, before)}
