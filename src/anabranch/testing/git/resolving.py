"""A conflict laid out in a working tree, and what somebody made of it: as `services.git` does it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from attrs import evolve

from anabranch.environment import Conflict, Oid
from anabranch.testing.git.crossing import merge_commits
from anabranch.testing.git.faults import NotModelled
from anabranch.testing.git.history import is_ancestor
from anabranch.testing.git.merging import Merging
from anabranch.testing.git.objects import LINK, Entry, Tree
from anabranch.testing.git.state import Checkout, GitState

_MARKER: Final = re.compile(rb"(?:<{7,}|>{7,}|\|{7,})(?: .*)?")


def laid_out(state: GitState, checkout: Checkout, source: Oid) -> Checkout | None:
    """A working tree after `git merge --no-commit --no-ff`; `None` if the histories are unrelated.

    Raises:
        NotModelled: something in the tree is not committed, or what git leaves is not known.
    """
    head, objects = state.head(checkout), state.objects
    if is_ancestor(objects, source, head):
        return evolve(checkout, laid={})
    tree = objects.tree(head)
    if checkout.index != tree or any(checkout.files.get(path) != tree[path] for path in tree):
        raise NotModelled("a merge in a working tree with changes")
    merged = merge_commits(objects, head, source, Merging("HEAD", source))
    if merged is None:
        return None
    left = merged.laid_out
    if any(path in checkout.files and path not in tree for path in left):
        raise NotModelled("a merge that meets untracked files")
    untracked = {path: entry for path, entry in checkout.files.items() if path not in tree}
    paths = [conflict.path for conflict in merged.conflicts]
    return evolve(
        checkout,
        index=merged.tree,
        files={**untracked, **left},
        merging=source,
        unmerged=frozenset(paths),
        laid={path: left.get(path) for path in paths},
    )


def unresolved(checkout: Checkout, conflicts: Sequence[Conflict]) -> Iterator[str]:
    """The paths that are as the merge left them, or have markers that were in none of the sides."""
    sides = {conflict.path: (conflict.ours, conflict.theirs) for conflict in conflicts}
    for path, was in (checkout.laid or {}).items():
        there = checkout.files.get(path)
        untouched = path in checkout.unmerged and _content(there) == _content(was)
        if untouched or _has_markers(there, sides.get(path, (None, None))):
            yield path


def _content(entry: Entry | None) -> bytes | None:
    return None if entry is None else entry.data


def _has_markers(entry: Entry | None, sides: tuple[bytes | None, bytes | None]) -> bool:
    if entry is None or entry.mode == LINK:
        return False
    known = {line for side in sides if side is not None for line in side.splitlines()}
    lines = entry.data.splitlines()
    return any(_MARKER.fullmatch(line) and line not in known for line in lines)


def resolution(checkout: Checkout) -> Tree:
    """The tree of what is there: committed, staged, or written over what was tracked."""
    index = {path: checkout.files.get(path) for path in checkout.index}
    index |= {path: checkout.files.get(path) for path in checkout.laid or {}}
    return {path: entry for path, entry in index.items() if entry is not None}
