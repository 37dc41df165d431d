"""Hypothesis strategies for what git holds: trees, edits of them, and forks to be merged.

Names and lines are few, so that edits meet; files become links, directories and back.
"""

from __future__ import annotations

from typing import Final

from attrs import evolve, frozen
from hypothesis import strategies as st

from anabranch.testing.git.objects import EXECUTABLE, FILE, LINK, Entry, Tree

PATHS: Final[tuple[str, ...]] = ("a", "b", "d/a", "d/b", "d", "d/a/c", "e")
"""Paths of which some cannot be together: a file and a directory of one name."""

_LINES: Final = (b"one\n", b"two\n", b"three\n", b"\n", b"}\n")


@frozen(kw_only=True)
class Fork:
    """Three trees of which the first became the other two."""

    base: Tree
    ours: Tree
    theirs: Tree


def texts(*, max_size: int = 8) -> st.SearchStrategy[bytes]:
    """Lines out of few; the last one may have no end."""
    lines = st.lists(st.sampled_from(_LINES), max_size=max_size).map(b"".join)
    return st.tuples(lines, st.sampled_from([b"", b"", b"", b"no end"])).map(b"".join)


@st.composite
def edited_texts(draw: st.DrawFn, text: bytes) -> bytes:
    """A text with one to three stretches of it replaced."""
    lines = text.splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(lines)))
        end = draw(st.integers(start, min(start + 2, len(lines))))
        lines[start:end] = draw(st.lists(st.sampled_from(_LINES), max_size=2))
    return b"".join(lines)


def entries() -> st.SearchStrategy[Entry]:
    """Files: mostly text, sometimes executable; binary ones, and links."""
    modes = st.sampled_from([FILE, FILE, FILE, EXECUTABLE])
    files = st.builds(Entry, texts(), modes)
    binary = st.builds(Entry, st.sampled_from([b"\0one", b"\0two", b"\0one\nmore\n"]), modes)
    links = st.builds(Entry, st.sampled_from([b"a", b"b"]), st.just(LINK))
    return st.one_of(files, files, files, binary, links)


def _paths() -> st.SearchStrategy[str]:
    return st.sampled_from(PATHS)


def trees(*, min_size: int = 0) -> st.SearchStrategy[Tree]:
    """Files by path; none is a directory of another."""
    found = st.dictionaries(_paths(), entries(), min_size=min_size, max_size=4)
    return found.map(_possible)


@st.composite
def edited_trees(draw: st.DrawFn, tree: Tree) -> Tree:
    """A tree with up to three of its files edited, deleted, replaced, made otherwise, or moved."""
    for _ in range(draw(st.integers(0, 3))):
        tree = draw(_edited_once(tree))
    return tree


@st.composite
def _edited_once(draw: st.DrawFn, tree: Tree) -> Tree:
    kinds = ["edit", "edit", "mode", "delete", "move"] if tree else []
    kind = draw(st.sampled_from([*kinds, "put"]))
    path = draw(st.sampled_from(PATHS if kind == "put" else sorted(tree)))
    if kind == "put":
        return _possible({path: draw(entries()), **{p: e for p, e in tree.items() if p != path}})
    entry, left = tree[path], {p: e for p, e in tree.items() if p != path}
    match kind:
        case "edit":
            return {**left, path: evolve(entry, data=draw(edited_texts(entry.data)) or b"a")}
        case "mode":
            return {**left, path: evolve(entry, mode=draw(st.sampled_from([FILE, EXECUTABLE])))}
        case "move":
            return _possible({draw(st.sampled_from(PATHS)): entry, **left})
        case _:
            return left


@st.composite
def forks(draw: st.DrawFn) -> Fork:
    """A tree, and two edits of it."""
    base = draw(trees(min_size=1))
    return Fork(base=base, ours=draw(edited_trees(base)), theirs=draw(edited_trees(base)))


def _possible(tree: Tree) -> Tree:
    """The files, without those that would have to be a directory as well; the first ones win."""
    kept: dict[str, Entry] = {}
    for path, entry in tree.items():
        if not any(p.startswith(f"{path}/") or path.startswith(f"{p}/") for p in kept):
            kept[path] = entry
    return kept
