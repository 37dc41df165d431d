"""Three trees made one, file by file, as git's `merge-ort` does it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from attrs import field, frozen

from anabranch.environment import Conflict
from anabranch.testing.git.faults import NotModelled
from anabranch.testing.git.objects import EMPTY, LINK, Entry, Tree
from anabranch.testing.git.renames import parents, renames
from anabranch.testing.git.texts import MARKER, is_binary, marked_text, merge_texts


@frozen
class Merging:
    """How a merge is made.

    Attributes:
        ours: what one side is called, in markers.
        theirs: what the other is called.
        depth: 0 for a merge that somebody asked for; more for one of merge bases, which only
            makes what the sides are compared with.
    """

    ours: str = "ours"
    theirs: str = "theirs"
    depth: int = 0


@frozen
class MergedTree:
    """What a merge makes: a tree, or what stands in its way.

    Attributes:
        tree: what could be merged.
        conflicts: what could not, by path.
        left: what git leaves at the paths in conflict, as far as the model knows.
    """

    tree: Tree
    conflicts: tuple[Conflict, ...] = field(default=())
    left: Tree = field(default=EMPTY)

    @property
    def laid_out(self) -> Tree:
        """All that git leaves in a working tree.

        Raises:
            NotModelled: it moves things aside, or says more in its markers than the sides' names.
        """
        for conflict in self.conflicts:
            if conflict.path not in self.left:
                raise NotModelled(f"what git leaves of a conflict: {conflict.kind} {conflict.path}")
        return {**self.tree, **self.left}


_PLAIN: Final = Merging()


def merge_trees(base: Tree, ours: Tree, theirs: Tree, how: Merging = _PLAIN) -> MergedTree:
    """Merge two trees that come from a third.

    Args:
        base: the third.
        ours: the tree that is merged into.
        theirs: the tree that is merged.
        how: what the sides are called, and what the merge is for.

    >>> one, two = Entry(b"1"), Entry(b"2")
    >>> merge_trees({"a": one}, {"a": two}, {"a": one, "b": one}).tree == {"a": two, "b": one}
    True
    >>> [c.kind for c in merge_trees({}, {"a": one}, {"a": two}).conflicts]
    ['add/add']

    Raises:
        NotModelled: git would have to weigh something that the model does not know.
    """
    mine, yours = renames(base, ours, theirs), renames(base, theirs, ours)
    renamed = {*mine.values(), *yours.values()}
    lost = {new for old, new in {**mine, **yours}.items() if old not in {*ours, *theirs}}
    base, ours, theirs = _followed(base, ours, theirs, mine, yours)
    tree: dict[str, Entry] = {}
    conflicts: list[Conflict] = []
    left: dict[str, Entry] = {}
    for path in sorted({*base, *ours, *theirs}):
        sides = base.get(path), ours.get(path), theirs.get(path)
        merged = _merge_entry(path, *sides)
        if path in lost and None in sides:
            merged = _lost(path, *sides)
        if isinstance(merged, Conflict):
            conflicts.append(merged)
            if path not in renamed and (entry := _left(merged, sides, how)) is not None:
                left[path] = entry
        elif merged is not None:
            tree[path] = merged
    aside = list(_in_the_way(tree, conflicts, ours, theirs))
    conflicts.extend(aside)
    known = {} if aside else left
    return MergedTree(tree, tuple(sorted(conflicts, key=lambda conflict: conflict.path)), known)


_Versions: TypeAlias = tuple[Entry | None, Entry | None, Entry | None]


def _left(conflict: Conflict, versions: _Versions, how: Merging) -> Entry | None:
    """What git leaves at a path; a merge of merge bases decides nothing where it can help it."""
    base, ours, theirs = versions
    match conflict.kind:
        case "modify/delete":
            return base if how.depth else ours or theirs
        case "content" | "add/add" if ours is not None and theirs is not None:
            if LINK in {ours.mode, theirs.mode}:
                return base if how.depth else ours
            return _marked(base, ours, theirs, how)
        case "binary":
            return base if how.depth else ours
        case _:
            return None


def _marked(base: Entry | None, ours: Entry, theirs: Entry, how: Merging) -> Entry | None:
    was = None if base is None else base.mode
    mode = theirs.mode if ours.mode in {theirs.mode, was} else ours.mode
    data = _merge_data(base, ours, theirs)
    if data is None:
        if any(b"\r\n" in text for text in _texts(base, ours, theirs)):
            return None
        names, size = (how.ours, how.theirs), MARKER + 2 * how.depth
        data = marked_text(*_texts(base, ours, theirs), names=names, size=size)
    return Entry(data, mode)


def _lost(path: str, base: Entry | None, ours: Entry | None, theirs: Entry | None) -> Conflict:
    """A file that one side renamed and the other deleted. What git calls it is its last word."""
    left = ours or theirs
    moved = base is not None and left is not None and base.data == left.data
    return _conflict(path, "rename/delete" if moved else "modify/delete", ours, theirs)


def _followed(
    base: Tree, ours: Tree, theirs: Tree, mine: Mapping[str, str], yours: Mapping[str, str]
) -> tuple[Tree, Tree, Tree]:
    """The three trees, with what one side renamed at its new path in the other two as well."""
    for old in mine.keys() | yours.keys():
        new = mine.get(old, yours.get(old))
        if new is None or mine.get(old, new) != yours.get(old, new):
            raise NotModelled(f"a file that both sides renamed: {old}")
        base, ours, theirs = (_moved(tree, old, new) for tree in (base, ours, theirs))
    return base, ours, theirs


def _moved(tree: Tree, old: str, new: str) -> Tree:
    if old not in tree:
        return tree
    return {new if path == old else path: entry for path, entry in tree.items()}


def _merge_entry(
    path: str, base: Entry | None, ours: Entry | None, theirs: Entry | None
) -> Entry | Conflict | None:
    if theirs in (ours, base):
        return ours
    if base == ours:
        return theirs
    if ours is None or theirs is None:
        return _conflict(path, "modify/delete", ours, theirs)
    if (ours.mode == LINK) != (theirs.mode == LINK):
        return _conflict(path, "distinct types", ours, theirs)
    return _merge_files(path, base, ours, theirs)


def _merge_files(path: str, base: Entry | None, ours: Entry, theirs: Entry) -> Entry | Conflict:
    """Mode and content are merged apart; one in conflict is enough."""
    was = None if base is None else base.mode
    mode = theirs.mode if ours.mode in {theirs.mode, was} else ours.mode
    data = _merge_data(base, ours, theirs)
    binary = ours.mode != LINK and any(map(is_binary, _texts(base, ours, theirs)))
    clean = ours.mode == theirs.mode or was in {ours.mode, theirs.mode}
    if data is not None and clean:
        return Entry(data, mode)
    kind = "add/add" if base is None else "content"
    return _conflict(path, "binary" if data is None and binary else kind, ours, theirs)


def _merge_data(base: Entry | None, ours: Entry, theirs: Entry) -> bytes | None:
    old = None if base is None else base.data
    if ours.data in {theirs.data, old}:
        return theirs.data
    if theirs.data == old:
        return ours.data
    if ours.mode == LINK:
        return None
    texts = _texts(base, ours, theirs)
    return None if any(map(is_binary, texts)) else merge_texts(*texts)


def _texts(base: Entry | None, ours: Entry, theirs: Entry) -> tuple[bytes, bytes, bytes]:
    text = b"" if base is None or base.mode == LINK else base.data
    return text, ours.data, theirs.data


def _in_the_way(
    tree: Tree, conflicts: list[Conflict], ours: Tree, theirs: Tree
) -> Iterator[Conflict]:
    """Files where the other side has a directory."""
    there = {*tree, *(conflict.path for conflict in conflicts)}
    known = {conflict.path for conflict in conflicts}
    for path in sorted({above for inner in there for above in parents(inner)} & there):
        if path not in known:
            yield _conflict(path, "file/directory", ours.get(path), theirs.get(path))


def _conflict(path: str, kind: str, ours: Entry | None, theirs: Entry | None) -> Conflict:
    mine = None if ours is None else ours.data
    yours = None if theirs is None else theirs.data
    return Conflict(path=path, kind=kind, ours=mine, theirs=yours)
