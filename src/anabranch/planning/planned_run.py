"""An execution on planned time: the event loop behind schedules, without events or a loop.

Time is counted in whole ticks from zero. Joins take no time and no slot.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from datetime import timedelta
from heapq import heappop, heappush
from typing import Protocol

from anabranch.planning.admission import Request, Usage, admit, ended, started
from anabranch.planning.critical_path import TICK
from anabranch.planning.graph import CommandGraph
from anabranch.planning.resources import Claim, Limits


class _Queue(Protocol):
    """Those that may run and have not started."""

    def add(self, command: int) -> None: ...

    def end(self, command: int) -> None: ...

    def start(self, now: int) -> Sequence[int]:
        """Take those out that start now."""
        ...

    def look_again(self) -> int | None:
        """Say when another may start though nothing ends."""
        ...


class _SlotQueue:
    """The queue where nothing but slots is shared: a heap, most urgent first."""

    def __init__(self, limits: Limits, rank: dict[int, int]) -> None:
        self.free = len(rank) if limits.slots is None else limits.slots
        self.rank = rank
        self.waiting: list[tuple[int, int]] = []

    def add(self, command: int) -> None:
        heappush(self.waiting, (self.rank[command], command))

    def end(self, command: int) -> None:
        del command
        self.free += 1

    def start(self, now: int) -> Sequence[int]:
        del now
        count = min(self.free, len(self.waiting))
        self.free -= count
        return [heappop(self.waiting)[1] for _ in range(count)]

    def look_again(self) -> int | None:
        return None


class _ClaimQueue:
    """The queue where commands claim resources: what execution does, on planned time."""

    def __init__(
        self, limits: Limits, claims: Sequence[tuple[Claim, ...]], rank: dict[int, int]
    ) -> None:
        self.limits = limits
        self.requests = [Request(str(at), wanted) for at, wanted in enumerate(claims)]
        self.rank = rank
        self.waiting: list[tuple[int, int]] = []
        self.usage = Usage()
        self.timer: timedelta | None = None

    def add(self, command: int) -> None:
        insort(self.waiting, (self.rank[command], command))

    def end(self, command: int) -> None:
        self.usage = ended(self.usage, str(command))

    def start(self, now: int) -> Sequence[int]:
        moment = now * TICK
        queue = (self.requests[command] for _, command in self.waiting)
        admission = admit(self.limits, self.usage, queue, moment)
        self.timer = admission.look_again
        chosen = [int(step) for step in admission.start]
        for command in chosen:
            self.waiting.remove((self.rank[command], command))
            self.usage = started(self.limits, self.usage, self.requests[command], moment)
        return chosen

    def look_again(self) -> int | None:
        return None if self.timer is None else self.timer // TICK


def planned_run(
    graph: CommandGraph,
    ticks: Sequence[int],
    urgency: Sequence[int],
    limits: Limits,
    claims: Sequence[tuple[Claim, ...]],
) -> tuple[list[int], int]:
    """Run everything on planned time.

    Args:
        graph: what must wait for what.
        ticks: how long each node takes.
        urgency: the commands, those to offer first before the others.
        limits: what there is to share.
        claims: what each command asks of it, merged; empty if none asks for anything.

    Returns:
        When each command starts, and how many ran at once at most.
    """
    rank = {command: at for at, command in enumerate(urgency)}
    queue: _Queue = _ClaimQueue(limits, claims, rank) if any(claims) else _SlotQueue(limits, rank)
    run = _Run(graph, ticks, queue)
    return run.to_the_end(), run.peak


class _Run:
    """One execution on planned time."""

    def __init__(self, graph: CommandGraph, ticks: Sequence[int], queue: _Queue) -> None:
        self.graph = graph
        self.ticks = ticks
        self.queue = queue
        self.missing = [len(waits) for waits in graph.waits]
        self.running: list[tuple[int, int]] = []
        self.peak = 0

    def to_the_end(self) -> list[int]:
        """Run everything; give the start of each command."""
        starts = [0] * len(self.graph.names)
        for node, count in enumerate(self.missing):
            if not count:
                self.queue.add(node)
        now: int | None = 0
        while now is not None:
            for command in self.queue.start(now):
                starts[command] = now
                heappush(self.running, (now + self.ticks[command], command))
            self.peak = max(self.peak, len(self.running))
            now = self.next_moment()
        return starts

    def next_moment(self) -> int | None:
        """End what ends next, unless a rate lets something start before that."""
        timer = self.queue.look_again()
        now = self.running[0][0] if self.running else timer
        if now is not None and timer is not None:
            now = min(now, timer)
        while self.running and self.running[0][0] == now:
            command = heappop(self.running)[1]
            self.queue.end(command)
            self.finish(command)
        return now

    def finish(self, command: int) -> None:
        """Queue the commands whose dependencies are done by this; joins are done at once."""
        done = [command]
        for node in done:
            for follower in self.graph.followers[node]:
                self.missing[follower] -= 1
                if self.missing[follower]:
                    continue
                if follower < len(self.graph.names):
                    self.queue.add(follower)
                else:
                    done.append(follower)
