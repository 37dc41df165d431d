"""Which commands must wait for which, found in one pass over what they touch.

The method is the scoreboard of out-of-order processors (Thornton, *Parallel Operation in the
Control Data 6600*, 1964): for every resource remember the last writer and the readers since. A
reader waits for the writer; a writer waits for the readers and the writer; nobody looks further
back, since what lies before a writer has already been waited for by it.

Here resources form a tree (`access`) and touching one means touching all below it. So every
place keeps two records: of those that touched exactly it, looked at by commands that touch a
place *below*, and of those that touched it or anything below, looked at by commands that touch
it as a *whole*.

A record may be long and be looked at often: a thousand writers, then a thousand commands that
read everything, are a million pairs. When more than one command has to be waited for, the
record is therefore folded into one *join*, a node that does nothing and waits for them all;
the record then holds the join alone. Each entry is folded once, so the number of edges is at
most proportional to (number of accesses) x (depth of their places). Small joins are dissolved
again at the end, so that graphs of a size people look at have none.

Law: one command precedes another in the transitive closure exactly if a chain of pairwise
conflicting commands, in the order of the sequence, leads from one to the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from anabranch.planning.access import AccessSet

Predecessors: TypeAlias = tuple[tuple[int, ...], ...]
"""For every node its direct predecessors, ascending."""

_SMALL_JOIN: Final = 64


class _Place:
    """What is remembered of one place in the tree of resources."""

    __slots__ = ("below", "last_writer", "readers", "readers_within", "writers_within")

    def __init__(self) -> None:
        self.below: dict[str, _Place] = {}
        self.last_writer: int | None = None
        self.readers: list[int] = []
        self.readers_within: list[int] = []
        self.writers_within: list[int] = []

    def written_by(self, command: int) -> None:
        """Forget what the writer has waited for."""
        self.below = {}
        self.last_writer = command
        self.readers = []
        self.readers_within = []


class _Scoreboard:
    def __init__(self, size: int) -> None:
        self.root = _Place()
        self.waits: list[set[int]] = [set() for _ in range(size)]

    def add(self, command: int, access: AccessSet) -> None:
        writes = sorted(resource.place for resource in access.writes)
        reads = sorted(resource.place for resource in access.reads - access.writes)
        for place in writes:
            self.wait(command, place, writing=True)
        for place in reads:
            self.wait(command, place, writing=False)
        for place in writes:
            self.record(command, place, writing=True)
        for place in reads:
            self.record(command, place, writing=False)

    def wait(self, command: int, path: tuple[str, ...], *, writing: bool) -> None:
        waits = self.waits[command]
        place = self.root
        for segment in path:
            if place.last_writer is not None:
                waits.add(place.last_writer)
            if writing:
                waits.update(self.folded(place.readers))
            inner = place.below.get(segment)
            if inner is None:
                return
            place = inner
        waits.update(self.folded(place.writers_within))
        if writing:
            waits.update(self.folded(place.readers_within))

    def folded(self, record: list[int]) -> list[int]:
        """Make the record one join if it is longer than one command."""
        if len(record) > 1:
            self.waits.append(set(record))
            record[:] = [len(self.waits) - 1]
        return record

    def record(self, command: int, path: tuple[str, ...], *, writing: bool) -> None:
        place = self.root
        _note(place, command, writing=writing)
        for segment in path:
            inner = place.below.get(segment)
            if inner is None:
                inner = place.below[segment] = _Place()
            place = inner
            _note(place, command, writing=writing)
        if writing:
            place.written_by(command)
            place.writers_within = [command]
        else:
            place.readers.append(command)


def _note(place: _Place, command: int, *, writing: bool) -> None:
    (place.writers_within if writing else place.readers_within).append(command)


def waits_of(accesses: Sequence[AccessSet], sequence: Iterable[int]) -> Predecessors:
    """Find what every command waits for, when conflicting commands keep the sequence's order.

    Returns:
        The predecessors of the commands, by index, then those of the joins.
    """
    board = _Scoreboard(len(accesses))
    for command in sequence:
        board.add(command, accesses[command])
    return _without_small_joins(board.waits, len(accesses))


def _without_small_joins(waits: list[set[int]], commands: int) -> Predecessors:
    """Replace small joins by their members and number the others anew.

    A join is made after its members, so its members' fate is known before its own.
    """
    consumers = [0] * len(waits)
    for nodes in waits:
        for node in nodes:
            consumers[node] += 1
    kept: list[set[int]] = []
    replacement: dict[int, set[int]] = {}
    for join in range(commands, len(waits)):
        members = _replaced(waits[join], replacement, commands)
        if len(members) * consumers[join] <= _SMALL_JOIN:
            replacement[join] = members
        else:
            replacement[join] = {commands + len(kept)}
            kept.append(members)
    direct = [_replaced(nodes, replacement, commands) for nodes in waits[:commands]]
    return tuple(tuple(sorted(nodes)) for nodes in (*direct, *kept))


def _replaced(nodes: set[int], replacement: dict[int, set[int]], commands: int) -> set[int]:
    found: set[int] = set()
    for node in nodes:
        if node < commands:
            found.add(node)
        else:
            found |= replacement[node]
    return found
