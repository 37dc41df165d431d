"""The order of a list of steps: worked out once, however many agents run them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Final

from attrs import frozen

from anabranch.planning import (
    EVERYTHING,
    NOTHING,
    AccessSet,
    CommandGraph,
    Resource,
    access_of,
    estimate_durations,
    most_urgent_first,
)
from anabranch.workflow import Step, order_of


@frozen
class StepOrder:
    """Who waits for whom, who goes first, and what each may write.

    Attributes:
        graph: the dependencies.
        ranks: by step; of those that may start, the one with the lowest goes first.
        allowed: by step, for those that declare what they write: that, and what steps beside
            it write.
    """

    graph: CommandGraph
    ranks: tuple[int, ...]
    allowed: tuple[AccessSet | None, ...]

    @cached_property
    def in_a_row(self) -> bool:
        """Whether each waits for the one before it, so that no two ever run side by side."""
        return all(at - 1 in before for at, before in enumerate(self.graph.dependencies) if at)


@lru_cache(maxsize=64)
def plan_order(steps: tuple[Step, ...]) -> StepOrder:
    """Work out the order of steps: critical path first, by their estimates."""
    graph = order_of(steps)
    given = {
        name: step.estimate
        for name, step in zip(graph.names, steps, strict=True)
        if step.estimate is not None
    }
    durations = [estimate.duration for estimate in estimate_durations(graph.names, given=given)]
    ranks = {at: rank for rank, at in enumerate(most_urgent_first(graph, durations))}
    return StepOrder(
        graph=graph,
        ranks=tuple(ranks[at] for at in range(len(steps))),
        allowed=_allowances(steps, graph),
    )


MOST_COMPARED: Final = 1000
"""Of more steps than this, what any of them may write is not held against another."""


def _allowances(steps: Sequence[Step], graph: CommandGraph) -> tuple[AccessSet | None, ...]:
    if len(steps) <= MOST_COMPARED:
        return tuple(_allowed(at, steps, graph) for at in range(len(steps)))
    writes: set[Resource] = set()
    for step in steps:
        writes |= _writes(step).writes
    anything = AccessSet(writes=frozenset(writes))
    return tuple(None if step.command.writes is None else anything for step in steps)


def _allowed(at: int, steps: Sequence[Step], graph: CommandGraph) -> AccessSet | None:
    if steps[at].command.writes is None:
        return None
    ordered = _reached(at, graph.waits) | _reached(at, graph.followers)
    beside = (n for n in range(len(steps)) if n == at or n not in ordered)
    allowed = NOTHING
    for n in beside:
        allowed |= _writes(steps[n])
    return allowed


def _writes(step: Step) -> AccessSet:
    """What a step may write; one that only promised to be safe may write anything of its own."""
    command = step.command
    return EVERYTHING if command.parallel_safe and command.writes is None else access_of(command)


def _reached(start: int, edges: Sequence[Sequence[int]]) -> set[int]:
    found = {start}
    queue = [start]
    for node in queue:
        fresh = [other for other in edges[node] if other not in found]
        found.update(fresh)
        queue += fresh
    return found
