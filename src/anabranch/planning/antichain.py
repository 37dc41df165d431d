"""The width of an order: the most commands of which none has to wait for another.

By Dilworth's theorem (1950) it is the least number of chains that cover all commands. A cover
is a flow that passes through every command at least once, so the least cover is a least flow
with lower bounds: a cover is made greedily, then chains are saved one at a time along augmenting
paths (Ford and Fulkerson, 1962). Each saved chain costs one search of the graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from anabranch.planning.digraph import Successors


def largest_antichain(
    order: Sequence[int], successors: Successors, predecessors: Successors, commands: int
) -> int:
    """Count the largest set of nodes below `commands`, none of which reaches another."""
    cover = _Cover(order, successors, predecessors, commands)
    while cover.save_a_chain():
        pass
    return cover.starts.total()


class _Cover:
    """Chains as a flow: how many start, pass and end at each node, and use each edge."""

    def __init__(
        self,
        order: Sequence[int],
        successors: Successors,
        predecessors: Successors,
        commands: int,
    ) -> None:
        self.successors = successors
        self.predecessors = predecessors
        self.commands = commands
        self.starts: Counter[int] = Counter()
        self.ends: Counter[int] = Counter()
        self.passes: Counter[int] = Counter()
        self.uses: Counter[tuple[int, int]] = Counter()
        for node in order:
            self.cover(node)

    def cover(self, node: int) -> None:
        """Lengthen a chain that ends just before the node, or start one if it needs one."""
        tail = next((n for n in self.predecessors[node] if self.ends[n]), None)
        if tail is not None:
            self.ends[tail] -= 1
            self.uses[tail, node] += 1
        elif node < self.commands:
            self.starts[node] += 1
        else:
            return
        self.passes[node] += 1
        self.ends[node] += 1

    def save_a_chain(self) -> bool:
        """Undo one unit of flow, from a chain's end back to a chain's start, if that can be.

        States of the search are `2 * node` for entering a node and `2 * node + 1` for leaving.
        """
        queue = [2 * node + 1 for node in sorted(+self.ends)]
        came_from = dict.fromkeys(queue, -1)
        for state in queue:
            if not state & 1 and self.starts[state >> 1]:
                self.undo(state, came_from)
                return True
            for target in self.moves(state):
                if target not in came_from:
                    came_from[target] = state
                    queue.append(target)
        return False

    def moves(self, state: int) -> Iterator[int]:
        node = state >> 1
        if state & 1:
            if self.passes[node] > (node < self.commands):
                yield 2 * node
            yield from (2 * target for target in self.successors[node])
        else:
            yield 2 * node + 1
            yield from (2 * n + 1 for n in self.predecessors[node] if self.uses[n, node])

    def undo(self, state: int, came_from: dict[int, int]) -> None:
        self.starts[state >> 1] -= 1
        while (before := came_from[state]) >= 0:
            self.change(before, state)
            state = before
        self.ends[state >> 1] -= 1

    def change(self, before: int, state: int) -> None:
        """Account for one move of the search."""
        node, target = before >> 1, state >> 1
        if node == target:
            self.passes[node] += -1 if before & 1 else 1
        elif before & 1:
            self.uses[node, target] += 1
        else:
            self.uses[target, node] -= 1
