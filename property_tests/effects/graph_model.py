"""What a `par_graph` means: which part begins when, and what becomes of those behind a failure."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import TypeAlias

from attrs import define, field

from anabranch.testing.strategies.effects import Graph, mix_all
from property_tests.effects.stories import (
    AmbiguousError,
    Cancelled,
    Failed,
    Ok,
    Outcome,
    Raised,
    Story,
)

Tell: TypeAlias = Callable[[int, float, float], Story]
"""The story of a part that begins at one moment and is cancelled at another."""


def graph_story(graph: Graph, tell: Tell, start: float, until: float) -> Story:
    """The story of a graph that starts at `start` and is cancelled at `until`."""
    pool = _Pool(graph, tell, until).run(start)
    defects = [(s.ended, i) for i, s in pool.stories.items() if isinstance(s.outcome, Raised)]
    if defects and len(graph.parts) > 1:
        stop = min(defects)
        if stop[0] == start:
            raise AmbiguousError
        pool = _Pool(graph, tell, until, stop).run(start)
    stories = pool.stories
    ended = max([start, *(story.ended for story in stories.values())])
    if ended == until:
        raise AmbiguousError
    events = tuple(event for story in stories.values() for event in story.events)
    return Story(_outcome(pool, late=ended > until and ended > start), ended, events)


@define
class _Pool:
    """Parts that run; whoever is urgent and may begin goes first."""

    graph: Graph
    tell: Tell
    until: float
    stop: tuple[float, int] = (math.inf, -1)
    stories: dict[int, Story] = field(factory=dict[int, Story])
    skipped: dict[int, int] = field(factory=dict[int, int])
    done: set[int] = field(factory=set[int])

    def run(self, now: float) -> _Pool:
        free = self.graph.limit or len(self.graph.parts)
        running: list[tuple[float, int]] = []
        while True:
            while free and now < self.stop[0] and (ready := self.ready()):
                index = min(ready, key=lambda each: (-self.length(each), each))
                ends = self.until if index == self.stop[1] else min(self.stop[0], self.until)
                if now == self.until:
                    raise AmbiguousError
                self.stories[index] = self.tell(index, now, ends)
                heapq.heappush(running, (self.stories[index].ended, index))
                free -= 1
                self.in_order(now, index, ready)
            if not running:
                return self
            now, index = heapq.heappop(running)
            free += self.end(index, now, running)

    def in_order(self, now: float, index: int, ready: list[int]) -> None:
        """What takes no time leaves it open who begins next, where room is scarce."""
        scarce = self.graph.limit is not None and (len(ready) > 1 or self.after(index))
        if self.stories[index].ended == now and scarce:
            raise AmbiguousError

    def end(self, index: int, now: float, running: list[tuple[float, int]]) -> int:
        outcome = self.stories[index].outcome
        together = running and running[0][0] == now
        if together and (self.graph.limit is not None or not isinstance(outcome, Ok)):
            raise AmbiguousError
        if isinstance(outcome, Ok):
            self.done.add(index)
        if isinstance(outcome, Failed):
            self.skip(index, index)
        return not isinstance(outcome, Cancelled)

    def skip(self, index: int, why: int) -> None:
        for then in self.after(index):
            if then not in self.skipped:
                self.skipped[then] = why
                self.skip(then, why)

    def ready(self) -> list[int]:
        return [
            index
            for index in range(len(self.graph.parts))
            if index not in self.stories
            and index not in self.skipped
            and all(first in self.done for first, then in self.graph.edges if then == index)
        ]

    def after(self, index: int) -> list[int]:
        return [then for first, then in self.graph.edges if first == index]

    def length(self, index: int) -> int:
        return 1 + max([0, *map(self.length, self.after(index))])


def _outcome(pool: _Pool, *, late: bool) -> Outcome:
    outcomes = {index: pool.stories[index].outcome for index in sorted(pool.stories)}
    raised = [outcome.steps for outcome in outcomes.values() if isinstance(outcome, Raised)]
    if raised:
        return Raised(frozenset[int]().union(*raised))
    if late or Cancelled() in outcomes.values():
        return Cancelled()
    values = {index: each.value for index, each in outcomes.items() if isinstance(each, Ok)}
    errors = {index: each.error for index, each in outcomes.items() if isinstance(each, Failed)}
    if errors:
        return Failed(f"{errors} {values} {dict(sorted(pool.skipped.items()))}")
    return Ok(mix_all(list(values.values())))
