"""Working trees: what is changed in one, and bringing one forward without losing anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import evolve

from anabranch.testing.git.ignoring import ignores
from anabranch.testing.git.objects import Entry, Tree
from anabranch.testing.git.renames import parents
from anabranch.testing.git.state import Checkout

SAVED: Final = ".anabranch-saved"


def dirty_paths(checkout: Checkout, head: Tree) -> tuple[str, ...]:
    """What `git status` names: staged, changed, deleted, and untracked but not ignored."""
    index, files, ignored = checkout.index, checkout.files, ignores(checkout.files)
    staged = {path for path in {*head, *index} if head.get(path) != index.get(path)}
    changed = {path for path in index if index[path] != files.get(path)}
    fresh = {path for path in files if path not in index and not ignored(path)}
    return tuple(sorted(staged | changed | fresh | checkout.unmerged))


def added(checkout: Checkout) -> Checkout:
    """After `git add --all`: the index holds what the directory does, but what is ignored."""
    ignored = ignores(checkout.files)
    index = {
        path: entry
        for path, entry in checkout.files.items()
        if path in checkout.index or path in checkout.unmerged or not ignored(path)
    }
    return evolve(checkout, index=index, unmerged=frozenset())


def untracked(checkout: Checkout) -> Iterator[tuple[str, Entry]]:
    """The files that git does not have and is not told to ignore."""
    ignored = ignores(checkout.files)
    return (
        (path, entry)
        for path, entry in checkout.files.items()
        if path not in checkout.index and not ignored(path)
    )


def forwarded(checkout: Checkout, old: Tree, new: Tree) -> Checkout | str:
    """What `git merge --ff-only --no-overwrite-ignore` makes of a tree; or why it refuses.

    All or nothing: it refuses if a path that differs in the two commits was changed, staged or
    not, or if a file that git does not have, ignored or not, lies where one lands.
    """
    index, files = dict(checkout.index), dict(checkout.files)
    landing = [path for path in {*old, *new} if old.get(path) != new.get(path)]
    in_the_way = sorted(p for p in landing if _is_in_the_way(checkout, p, old, new))
    if in_the_way:
        return f"in the way: {', '.join(in_the_way)}"
    for path in landing:
        if checkout.index.get(path) != new.get(path):
            index.pop(path, None)
            files.pop(path, None)
    for path in landing:
        if path in new and checkout.index.get(path) != new[path]:
            index[path] = files[path] = new[path]
    return evolve(checkout, index=index, files=files)


def _is_in_the_way(checkout: Checkout, path: str, old: Tree, new: Tree) -> bool:
    staged, there = checkout.index.get(path), checkout.files.get(path)
    if staged == new.get(path):
        return False
    if staged != old.get(path):
        return True
    if staged is not None:
        return there not in {None, staged} or any(_below(checkout.files, path))
    leaving = {p for p in old if p not in new and checkout.index.get(p) == checkout.files.get(p)}
    occupants = {path, *parents(path)} & checkout.files.keys() | set(_below(checkout.files, path))
    return not occupants <= leaving


def _below(files: Tree, path: str) -> Iterator[str]:
    return (other for other in files if other.startswith(f"{path}/"))


def advanced(
    checkout: Checkout, old: Tree, new: Tree
) -> tuple[Checkout, tuple[tuple[str, str], ...]]:
    """A tree brought forward; what was in the way is saved beside, under the names that say so."""
    index, files = dict(checkout.index), dict(checkout.files)
    changed = {path for path in {*old, *index} if index.get(path) != old.get(path)}
    changed |= {path for path in index if index[path] != files.get(path)}
    landing = [path for path in {*old, *new} if old.get(path) != new.get(path)]
    leaving = {path for path in landing if path in old and path not in changed}
    away: set[str] = set()
    for path in landing:
        there = _occupant(files, path)
        held = files.get(path) == new.get(path) and there in {None, path}
        if path in changed:
            if not held and there is not None:
                away.add(there)
        elif path not in old and there is not None and there not in leaving and not held:
            below = set(_below(files, there)) if there not in files else {there}
            if not below <= leaving:
                away.add(there)
    saved = tuple(_saved(files, away))
    for path in landing:
        index.pop(path, None)
        files.pop(path, None)
    for path in [p for p in index if any(p == a or p.startswith(f"{a}/") for a in away)]:
        del index[path]
    for path in landing:
        if path in new:
            index[path] = files[path] = new[path]
    return evolve(checkout, index=index, files=files), saved


def _occupant(files: Tree, path: str) -> str | None:
    """What is at a path: a file where one of its directories would be, or itself."""
    above = next((p for p in parents(path) if p in files), None)
    return above or (path if path in files or any(_below(files, path)) else None)


def _saved(files: dict[str, Entry], away: set[str]) -> Iterator[tuple[str, str]]:
    for path in sorted(away):
        beside, number = f"{path}{SAVED}", 1
        while _occupant(files, beside) is not None:
            number += 1
            beside = f"{path}{SAVED}-{number}"
        for name in [n for n in files if n == path or n.startswith(f"{path}/")]:
            files[beside + name.removeprefix(path)] = files.pop(name)
        yield path, beside
