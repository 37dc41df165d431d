"""Which lines differ: git's histogram diff, and the way it places what it finds.

After `xdiff/xhistogram.c` and `xdl_change_compact` of `xdiff/xdiffi.c` in git, themselves after
JGit's `HistogramDiff`: the longest common run of lines around the rarest common line is kept,
what is above and below it is compared in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from attrs import define, field, frozen

from anabranch.testing.git.faults import NotModelled

Lines: TypeAlias = Sequence[bytes]

_TOO_MANY: Final = 64
"""A line that occurs more often is no landmark."""


@frozen
class Change:
    """Lines of one file that are replaced by lines of another."""

    start: int
    size: int
    other_start: int
    other_size: int


@define
class _Run:
    """A common run of lines: the first and the last one in both files; and how rare it is."""

    start: int = -1
    end: int = -1
    other_start: int = -1
    other_end: int = -1
    count: int = _TOO_MANY + 1


def split(data: bytes) -> list[bytes]:
    r"""The lines with their ends.

    >>> split(b"a\nb")
    [b'a\n', b'b']
    """
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def changes(old: Lines, new: Lines) -> list[Change]:
    r"""What makes one file of the other, top to bottom.

    >>> changes([b"a", b"b"], [b"a", b"c", b"b"])
    [Change(start=1, size=0, other_start=1, other_size=1)]
    """
    removed, added = _marks(old, new)
    first, second = _Marked(old, removed), _Marked(new, added)
    _compact(first, second)
    _compact(second, first)
    return _script(removed, added)


def distance(old: Lines, new: Lines) -> int:
    """How many lines have to go and to come, at least, to make the one file of the other.

    After E. Myers, An O(ND) Difference Algorithm and Its Variations (1986), which git counts by.

    >>> distance([b"a", b"b"], [b"b", b"c"])
    2
    """
    furthest = {1: 0}
    for steps in range(len(old) + len(new) + 1):
        for diagonal in range(-steps, steps + 1, 2):
            down = furthest.get(diagonal + 1, -1)
            right = furthest.get(diagonal - 1, -2) + 1
            place = max(down, right)
            while (
                place < len(old)
                and place - diagonal < len(new)
                and old[place] == new[place - diagonal]
            ):
                place += 1
            furthest[diagonal] = place
            if place >= len(old) and place - diagonal >= len(new):
                return steps
    raise AssertionError("the ends are reached after as many steps as there are lines")


def _marks(old: Lines, new: Lines) -> tuple[list[bool], list[bool]]:
    """Which lines of both are in no common run."""
    removed, added = [True] * len(old), [True] * len(new)
    pending = [(0, len(old), 0, len(new))]
    while pending:
        region = start, end, other_start, other_end = pending.pop()
        if start == end or other_start == other_end:
            continue
        run = _rarest(old, new, region)
        if run is None:
            continue
        for index in range(run.start, run.end + 1):
            removed[index] = False
        for index in range(run.other_start, run.other_end + 1):
            added[index] = False
        pending.append((start, run.start, other_start, run.other_start))
        pending.append((run.end + 1, end, run.other_end + 1, other_end))
    return removed, added


def _rarest(old: Lines, new: Lines, region: tuple[int, int, int, int]) -> _Run | None:
    """The longest common run around the rarest line that both have; `None` if none is common."""
    start, end, other_start, other_end = region
    places: dict[bytes, list[int]] = {}
    for index in range(start, end):
        places.setdefault(old[index], []).append(index)
    best, common, index = _Run(), False, other_start
    search = _Search(old, new, places, (start, end), (other_start, other_end))
    while index < other_end:
        found = places.get(new[index], [])
        common = common or bool(found)
        if 0 < len(found) <= best.count:
            index = search.extend(best, found, index)
        else:
            index += 1
    if common and best.count > _TOO_MANY:
        raise NotModelled(f"a difference in which every common line occurs over {_TOO_MANY} times")
    return best if best.start >= 0 else None


@frozen
class _Search:
    """Looks for runs inside a region of both files."""

    old: Lines
    new: Lines
    places: dict[bytes, list[int]]
    region: tuple[int, int]
    other_region: tuple[int, int]

    def extend(self, best: _Run, found: list[int], index: int) -> int:
        """Try each place of a line; keep the better run; where to go on in the other file."""
        following, last = index + 1, -1
        for place in found:
            if place <= last:
                continue
            run = self._around(place, index, len(found))
            following = max(following, run.other_end + 1)
            if best.start < 0:
                longer = run.end > run.start
            else:
                longer = run.end - run.start > best.end - best.start
            if longer or run.count < best.count:
                best.start, best.end = run.start, run.end
                best.other_start, best.other_end = run.other_start, run.other_end
                best.count = run.count
            last = run.end
        return following

    def _around(self, place: int, index: int, count: int) -> _Run:
        (low, high), (other_low, other_high) = self.region, self.other_region
        start, other_start, end, other_end = place, index, place, index
        while start > low and other_start > other_low and self._same(start - 1, other_start - 1):
            start, other_start = start - 1, other_start - 1
            count = min(count, self._count(start)) if count > 1 else count
        while end + 1 < high and other_end + 1 < other_high and self._same(end + 1, other_end + 1):
            end, other_end = end + 1, other_end + 1
            count = min(count, self._count(end)) if count > 1 else count
        return _Run(start, end, other_start, other_end, count)

    def _same(self, index: int, other: int) -> bool:
        return self.old[index] == self.new[other]

    def _count(self, index: int) -> int:
        return len(self.places[self.old[index]])


@define
class _Marked:
    """A file with marks on the lines that differ, and one group of marks that may slide.

    A group is a run of marked lines, possibly empty: `start` up to and without `end`.
    """

    lines: Lines
    marks: list[bool]
    start: int = 0
    end: int = field(default=0)

    def rewind(self) -> None:
        """Go to the first group."""
        self.start = self.end = 0
        self._grow_down()

    def _marked(self, index: int) -> bool:
        return 0 <= index < len(self.marks) and self.marks[index]

    def _grow_down(self) -> None:
        while self._marked(self.end):
            self.end += 1

    def _grow_up(self) -> None:
        while self._marked(self.start - 1):
            self.start -= 1

    def following(self) -> bool:
        """Go to the next group; whether there was one."""
        if self.end == len(self.marks):
            return False
        self.start = self.end = self.end + 1
        self._grow_down()
        return True

    def previous(self) -> None:
        """Go to the group before."""
        self.start = self.end = self.start - 1
        self._grow_up()

    def slide_down(self) -> bool:
        """Move the marks down by a line, if that says the same; whether it does."""
        if self.end == len(self.marks) or self.lines[self.start] != self.lines[self.end]:
            return False
        self.marks[self.start], self.marks[self.end] = False, True
        self.start, self.end = self.start + 1, self.end + 1
        self._grow_down()
        return True

    def slide_up(self) -> bool:
        """Move the marks up by a line, if that says the same; whether it does."""
        if self.start == 0 or self.lines[self.start - 1] != self.lines[self.end - 1]:
            return False
        self.start, self.end = self.start - 1, self.end - 1
        self.marks[self.start], self.marks[self.end] = True, False
        self._grow_up()
        return True


def _compact(file: _Marked, other: _Marked) -> None:
    """Slide each group down as far as it goes, or to where the other file has a group too."""
    file.rewind()
    other.rewind()
    while True:
        if file.end > file.start:
            _place(file, other)
        if not file.following():
            return
        other.following()


def _place(file: _Marked, other: _Marked) -> None:
    size = -1
    earliest, aligned = 0, False
    while size != file.end - file.start:
        size = file.end - file.start
        while file.slide_up():
            other.previous()
        earliest, aligned = file.end, other.end > other.start
        while file.slide_down():
            other.following()
            aligned = aligned or other.end > other.start
    if file.end == earliest or not aligned:
        return
    while other.end == other.start:
        file.slide_up()
        other.previous()


def _script(removed: list[bool], added: list[bool]) -> list[Change]:
    found, index, other = list[Change](), 0, 0
    while index < len(removed) or other < len(added):
        start, other_start = index, other
        while index < len(removed) and removed[index]:
            index += 1
        while other < len(added) and added[other]:
            other += 1
        if index > start or other > other_start:
            found.append(Change(start, index - start, other_start, other - other_start))
        index, other = index + 1, other + 1
    return found
