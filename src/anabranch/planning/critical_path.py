"""The critical path method (Kelley and Walker, 1959): when each command can and must start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from operator import sub
from typing import Final

from attrs import frozen

from anabranch.planning.digraph import Successors

TICK: Final = timedelta(microseconds=1)
"""The unit in which durations are added up, exactly."""


@frozen(kw_only=True)
class CriticalPath:
    """The longest chain of commands, and how much time the others have to spare.

    Attributes:
        length: how long everything takes if nothing ever waits for a free slot.
        commands: indices of one longest chain, in order of execution.
        earliest_start: for each command, when its dependencies are done, from the beginning.
        slack: for each command, how much later it may start without making `length` longer.
    """

    length: timedelta
    commands: tuple[int, ...]
    earliest_start: tuple[timedelta, ...]
    slack: tuple[timedelta, ...]


def longest_before(
    order: Iterable[int], predecessors: Successors, durations: Sequence[int]
) -> list[int]:
    """Compute for each node the duration of the longest chain that ends just before it."""
    ends = [0] * len(durations)
    end_of = ends.__getitem__
    for node in order:
        before = predecessors[node]
        ends[node] = durations[node] + (max(map(end_of, before)) if before else 0)
    return list(map(sub, ends, durations))


def longest_after(
    order: Sequence[int], predecessors: Successors, durations: Sequence[int]
) -> list[int]:
    """Compute for each node the duration of the longest chain that begins just after it."""
    tails = [0] * len(durations)
    for node in reversed(order):
        tail = tails[node] + durations[node]
        for before in predecessors[node]:
            if tail > tails[before]:  # noqa: PLR1730 - the innermost loop: a call costs twice as much
                tails[before] = tail
    return tails


def critical_path(
    order: Sequence[int], predecessors: Successors, durations: Sequence[timedelta]
) -> CriticalPath:
    """Find the longest chain; nodes beyond the durations take no time and are not reported."""
    joins = len(order) - len(durations)
    ticks = [duration // TICK for duration in durations] + [0] * joins
    before = longest_before(order, predecessors, ticks)
    after = longest_after(order, predecessors, ticks)
    length = max(map(sum, zip(before, ticks, after, strict=True)), default=0)
    chain = _longest_chain(before, ticks, predecessors, length)
    spare = [length - b - t - a for b, t, a in zip(before, ticks, after, strict=True)]
    return CriticalPath(
        length=length * TICK,
        commands=tuple(node for node in chain if node < len(durations)),
        earliest_start=tuple(start * TICK for start in before[: len(durations)]),
        slack=tuple(left * TICK for left in spare[: len(durations)]),
    )


def _longest_chain(
    starts: Sequence[int], ticks: Sequence[int], predecessors: Successors, length: int
) -> list[int]:
    """Walk back from the first node that ends last; of two predecessors take the first."""
    ends = [start + duration for start, duration in zip(starts, ticks, strict=True)]
    node = next((node for node, end in enumerate(ends) if end == length), None)
    chain: list[int] = []
    while node is not None:
        chain.append(node)
        start = starts[node]
        node = next((before for before in predecessors[node] if ends[before] == start), None)
    return chain[::-1]
