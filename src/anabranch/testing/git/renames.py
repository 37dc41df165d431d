"""Renames that bear on a merge: those that are certain are followed, doubt is refused.

Git compares what one side deleted with what that side added, but looks only where it matters:
at files that the other side changed or deleted too, and at directories that one side removed
and the other added something to. A file that can only have gone to one place is followed here.
Where git would choose among several, the model ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from anabranch.testing.git.faults import NotModelled
from anabranch.testing.git.objects import Tree
from anabranch.testing.git.similarity import is_moved, is_renamed, may_be_renamed, same_kind


@frozen
class Sides:
    """One side of a merge, seen from the base and beside the other side."""

    base: Tree
    side: Tree
    other: Tree

    @property
    def deleted(self) -> list[str]:
        """What the side does not have any more."""
        return [path for path in self.base if path not in self.side]

    @property
    def added(self) -> list[str]:
        """What the base did not have."""
        return [path for path in self.side if path not in self.base]


def renames(base: Tree, side: Tree, other: Tree) -> Mapping[str, str]:
    """The renames of one side that bear on its merge with the other: new path by old.

    Raises:
        NotModelled: git might see a rename here, or see another one.
    """
    sides = Sides(base, side, other)
    deleted, added = sides.deleted, sides.added
    if not deleted or not added:
        return {}
    found: dict[str, str] = {}
    for path in deleted:
        if base.get(path) != other.get(path):
            target = _target(sides, path, deleted, added)
            if target is not None:
                found[path] = target
    _refuse_moved_directories(sides, deleted, added)
    return found


def _target(sides: Sides, path: str, deleted: list[str], added: list[str]) -> str | None:
    new = only_rename(sides.base, sides.side, path, deleted, added)
    if new is not None:
        _refuse_the_tricky(sides, path, new)
    return new


def only_rename(
    before: Tree, after: Tree, path: str, deleted: list[str], added: list[str]
) -> str | None:
    """Where a file that was deleted is now, if that is beyond doubt; `None` if nowhere.

    Raises:
        NotModelled: git would have to choose.
    """
    entry = before[path]
    targets = [new for new in added if is_moved(entry, after[new])]
    alike = is_moved if targets else may_be_renamed
    targets = targets or [new for new in added if alike(entry, after[new])]
    if not targets:
        return None
    sources = [old for old in deleted if alike(before[old], after[targets[0]])]
    if len(targets) > 1 or len(sources) > 1 or not is_renamed(entry, after[targets[0]]):
        raise NotModelled(f"a file that was renamed in one of several ways, or was not: {path}")
    return targets[0]


def _refuse_the_tricky(sides: Sides, old: str, new: str) -> None:
    there = sides.other.get(old)
    if there is not None and not same_kind(there, sides.base[old]):
        raise NotModelled(f"a file that one side renamed and the other made a link: {old}")
    if new in sides.other and not is_moved(sides.base[old], sides.other[new]):
        raise NotModelled(f"a file renamed to where the other side has one: {new}")
    if any(p.startswith(f"{new}/") or new.startswith(f"{p}/") for p in sides.other):
        raise NotModelled(f"a file renamed to where the other side has a directory: {new}")


def _refuse_moved_directories(sides: Sides, deleted: list[str], added: list[str]) -> None:
    fresh = [path for path in sides.other if path not in sides.base]
    moved = set(_removed_directories(sides)) & {above for path in fresh for above in parents(path)}
    for directory in moved:
        for path in deleted:
            if path.startswith(f"{directory}/") and any(
                may_be_renamed(sides.base[path], sides.side[new]) for new in added
            ):
                raise NotModelled(f"a directory that may have been renamed: {directory}")


def _removed_directories(sides: Sides) -> Iterator[str]:
    had = {above for path in sides.base for above in parents(path)}
    has = {above for path in sides.side for above in parents(path)}
    yield from had - has


def parents(path: str) -> Iterator[str]:
    """The directories that a path is in.

    >>> list(parents("a/b/c"))
    ['a', 'a/b']
    """
    parts = path.split("/")
    return ("/".join(parts[:length]) for length in range(1, len(parts)))
