"""What several rules of validation want to know of a graph of steps, worked out once.

Edges are of two kinds: from a step to those that depend on it, and from a condition to those
that it chooses among.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from attrs import frozen

from anabranch.planning.digraph import reversed_edges, topological_order
from anabranch.planning.references import first_index, resolved
from anabranch.planning.step_graph import StepGraph, StepKind, StepNode
from anabranch.values import Location


@frozen
class StepFacts:
    """A graph, and what several rules want to know of it."""

    graph: StepGraph

    @cached_property
    def names(self) -> list[str]:
        """What the steps are called."""
        return [step.name for step in self.graph.steps]

    @cached_property
    def index(self) -> dict[str, int]:
        """Where each name stands first."""
        return first_index(self.names)

    def path(self, at: int) -> str:
        """Where a step stands in its document."""
        return self.graph.steps[at].path or f"steps[{at}]"

    def where(self, at: int, setting: str) -> Location:
        """Where a setting of a step stands."""
        return Location(path=f"{self.path(at)}.{setting}")

    def numbered(self, *kinds: StepKind) -> Iterator[tuple[int, StepNode]]:
        """Give the steps of these kinds, or of all, with their indices."""
        for at, step in enumerate(self.graph.steps):
            if not kinds or step.kind in kinds:
                yield at, step

    @cached_property
    def waits(self) -> list[list[int]]:
        """For each step, those that come before it: dependencies, and conditions that choose it."""
        depends_on = [step.depends_on for step in self.graph.steps]
        waits = [set(on) for on in resolved(self.names, depends_on)]
        for at, step in enumerate(self.graph.steps):
            for target in targets_of(step):
                if target in self.index:
                    waits[self.index[target]].add(at)
        return [sorted(on) for on in waits]

    @cached_property
    def followers(self) -> list[list[int]]:
        """For each step, those that come after it."""
        return reversed_edges(self.waits)

    @cached_property
    def order(self) -> list[int]:
        """The steps that are neither on a cycle nor behind one, each after those before it."""
        return topological_order(self.followers, self.waits)

    @cached_property
    def reached(self) -> set[int]:
        """The steps that execution comes to, if it begins at the entries."""
        if self.graph.entries is None:
            return set(self.order)
        return reach(self.indices(self.graph.entries), self.followers)

    def indices(self, names: Iterable[str]) -> list[int]:
        """Where these names stand, ascending; those of no step are left out."""
        return sorted(self.index[name] for name in names if name in self.index)

    @cached_property
    def setters(self) -> dict[str, str]:
        """For each variable, the first step that sets it."""
        steps = reversed(self.graph.steps)
        return {name: step.name for step in steps for name in sorted(step.sets)}


def targets_of(step: StepNode) -> tuple[str, ...]:
    """Name the steps that a condition chooses among, the default last."""
    return step.branches if step.default is None else (*step.branches, step.default)


def reach(starts: Iterable[int], edges: Sequence[Sequence[int]]) -> set[int]:
    """Find all nodes to which a way leads from some of the starts, these included."""
    queue = list(starts)
    found = set(queue)
    for node in queue:
        fresh = [target for target in dict.fromkeys(edges[node]) if target not in found]
        found.update(fresh)
        queue += fresh
    return found
