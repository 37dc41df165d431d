"""Directed graphs of small integers: order, strongly connected parts, cycles, reduction.

A graph is its successor lists: `successors[node]` holds the nodes that `node` points to.
Nothing here recurses, so a chain of a million nodes is no deeper than one of two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import TypeAlias

Successors: TypeAlias = Sequence[Sequence[int]]


def reversed_edges(successors: Successors) -> list[list[int]]:
    """Turn every edge round; the lists come out ascending."""
    found: list[list[int]] = [[] for _ in successors]
    for node, targets in enumerate(successors):
        for target in targets:
            found[target].append(node)
    return found


def topological_order(successors: Successors, predecessors: Successors) -> list[int]:
    """Order the nodes so that every edge points forward (Kahn, 1962), breadth first.

    Nodes on a cycle, and those behind one, are missing from the result.
    """
    missing = [len(nodes) for nodes in predecessors]
    order = [node for node, count in enumerate(missing) if not count]
    for node in order:
        for target in successors[node]:
            missing[target] -= 1
            if not missing[target]:
                order.append(target)
    return order


def nearest_order(successors: Successors, predecessors: Successors) -> list[int]:
    """Order the nodes topologically and otherwise by number, smallest first."""
    missing = [len(nodes) for nodes in predecessors]
    ready = [node for node, count in enumerate(missing) if not count]
    order: list[int] = []
    while ready:
        node = heappop(ready)
        order.append(node)
        for target in successors[node]:
            missing[target] -= 1
            if not missing[target]:
                heappush(ready, target)
    return order


def strong_components(successors: Successors) -> list[list[int]]:
    """Find the largest sets of nodes that all reach each other (Kosaraju; Sharir, 1981).

    Returns:
        Each set ascending, sets of one node included, in order of their smallest node.
    """
    predecessors = reversed_edges(successors)
    seen: set[int] = set()
    found: list[list[int]] = []
    for root in reversed(_leaving_order(successors)):
        if root in seen:
            continue
        seen.add(root)
        part = [root]
        for node in part:
            fresh = [n for n in predecessors[node] if n not in seen]
            seen.update(fresh)
            part += dict.fromkeys(fresh)
        found.append(sorted(part))
    return sorted(found)


def _leaving_order(successors: Successors) -> list[int]:
    """List the nodes in the order in which a depth-first walk leaves them for good."""
    seen: set[int] = set()
    order: list[int] = []
    for root in range(len(successors)):
        path = [] if root in seen else [(root, iter(successors[root]))]
        seen.add(root)
        while path:
            node, targets = path[-1]
            inner = next((target for target in targets if target not in seen), None)
            if inner is None:
                order.append(node)
                path.pop()
            else:
                seen.add(inner)
                path.append((inner, iter(successors[inner])))
    return order


def elementary_cycles(successors: Successors, limit: int) -> list[list[int]]:
    """Find cycles that visit no node twice, self-loops left out (Johnson, 1975).

    There may be exponentially many: at most `limit` are found, at least one in every strongly
    connected part unless the limit forbids it.

    Returns:
        Each cycle from its smallest node on, sorted.
    """
    parts = [part for part in strong_components(successors) if len(part) > 1]
    found = [cycle for part in parts for cycle in _first(_through(successors, part), 1)]
    seen = {tuple(cycle) for cycle in found}
    while parts and len(found) < limit:
        part = parts.pop(0)
        for cycle in _through(successors, part):
            if len(found) == limit:
                break
            if tuple(cycle) not in seen:
                found.append(cycle)
        parts += _parts_without(successors, part[1:])
    return sorted(found[:limit])


def _first(cycles: Iterator[list[int]], count: int) -> list[list[int]]:
    return [cycle for cycle, _ in zip(cycles, range(count), strict=False)]


def _parts_without(successors: Successors, nodes: list[int]) -> list[list[int]]:
    number = {node: at for at, node in enumerate(nodes)}
    inside = [[number[t] for t in successors[node] if t in number] for node in nodes]
    parts = (part for part in strong_components(inside) if len(part) > 1)
    return [[nodes[at] for at in part] for part in parts]


def _through(successors: Successors, part: list[int]) -> Iterator[list[int]]:
    """Yield the elementary cycles through the smallest node of a strongly connected part."""
    start, inside = part[0], set(part)
    blocked = {start}
    blocks: dict[int, set[int]] = defaultdict(set)
    closed: set[int] = set()
    path = [(start, _inner(successors, start, inside))]
    while path:
        node, targets = path[-1]
        if targets:
            target = targets.pop()
            if target == start:
                closed.update(n for n, _ in path)
                yield [n for n, _ in path]
            elif target not in blocked:
                path.append((target, _inner(successors, target, inside)))
                closed.discard(target)
                blocked.add(target)
            continue
        path.pop()
        if node in closed:
            _unblock(node, blocked, blocks)
        else:
            for target in _inner(successors, node, inside):
                blocks[target].add(node)


def _inner(successors: Successors, node: int, inside: set[int]) -> list[int]:
    return sorted({t for t in successors[node] if t in inside and t != node}, reverse=True)


def _unblock(node: int, blocked: set[int], blocks: dict[int, set[int]]) -> None:
    waiting = [node]
    while waiting:
        freed = waiting.pop()
        if freed in blocked:
            blocked.remove(freed)
            waiting += blocks.pop(freed, ())
