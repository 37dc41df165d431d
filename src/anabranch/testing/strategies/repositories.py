"""Hypothesis strategies for what git holds: trees, edits of them, and forks to be merged.

Names and lines are few, so that edits meet; files become links, directories and back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import evolve, frozen
from hypothesis import strategies as st

from anabranch.testing.git import MemoryRepository, MemoryTree, memory_repository
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


def line_texts(*, max_size: int = 8) -> st.SearchStrategy[bytes]:
    """Lines out of few; the last one may have no end."""
    lines = st.lists(st.sampled_from(_LINES), max_size=max_size).map(b"".join)
    return st.tuples(lines, st.sampled_from([b"", b"", b"", b"no end"])).map(b"".join)


@st.composite
def edited_line_texts(draw: st.DrawFn, text: bytes) -> bytes:
    """A text with one to three stretches of it replaced."""
    lines = text.splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(lines)))
        end = draw(st.integers(start, min(start + 2, len(lines))))
        lines[start:end] = draw(st.lists(st.sampled_from(_LINES), max_size=2))
    return b"".join(lines)


def git_entries() -> st.SearchStrategy[Entry]:
    """Files: mostly text, sometimes executable; binary ones, and links."""
    modes = st.sampled_from([FILE, FILE, FILE, EXECUTABLE])
    files = st.builds(Entry, line_texts(), modes)
    binary = st.builds(Entry, st.sampled_from([b"\0one", b"\0two", b"\0one\nmore\n"]), modes)
    links = st.builds(Entry, st.sampled_from([b"a", b"b"]), st.just(LINK))
    return st.one_of(files, files, files, binary, links)


def _paths() -> st.SearchStrategy[str]:
    return st.sampled_from(PATHS)


def git_trees(*, min_size: int = 0) -> st.SearchStrategy[Tree]:
    """Files by path; none is a directory of another."""
    found = st.dictionaries(_paths(), git_entries(), min_size=min_size, max_size=4)
    return found.map(_possible)


@st.composite
def edited_git_trees(draw: st.DrawFn, tree: Tree) -> Tree:
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
        return _possible(
            {path: draw(git_entries()), **{p: e for p, e in tree.items() if p != path}}
        )
    entry, left = tree[path], {p: e for p, e in tree.items() if p != path}
    match kind:
        case "edit":
            return {**left, path: evolve(entry, data=draw(edited_line_texts(entry.data)) or b"a")}
        case "mode":
            return {**left, path: evolve(entry, mode=draw(st.sampled_from([FILE, EXECUTABLE])))}
        case "move":
            return _possible({draw(st.sampled_from(PATHS)): entry, **left})
        case _:
            return left


def forks() -> st.SearchStrategy[Fork]:
    """A tree, and two edits of it: of one file, or of anything."""
    return st.one_of(_file_forks(), _tree_forks(), _tree_forks(), _tree_forks())


def _file_forks() -> st.SearchStrategy[Fork]:
    """Three versions of one file. Here because simple things have to be made in a simple way."""
    file = line_texts(max_size=4).map(lambda text: {"a": Entry(text)})
    return st.builds(Fork, base=file, ours=file, theirs=file)


@st.composite
def _tree_forks(draw: st.DrawFn) -> Fork:
    base = draw(git_trees(min_size=1))
    return Fork(base=base, ours=draw(edited_git_trees(base)), theirs=draw(edited_git_trees(base)))


@st.composite
def repositories(draw: st.DrawFn) -> MemoryRepository:
    """A repository in memory: some commits on `main`, and a user who may be in the middle of work."""
    repository = memory_repository(draw(_files()))
    for number in range(draw(st.integers(0, 2))):
        _put(repository.home, draw(_files()))
        repository.home.commit(message=f"commit {number}")
    _put(repository.home, draw(_files(min_size=0)))
    return repository


def _files(*, min_size: int = 1) -> st.SearchStrategy[dict[str, bytes | str]]:
    paths = st.sampled_from(["a.txt", "b.txt", "src/c.txt", "src/d/e.txt"])
    return st.dictionaries(paths, line_texts(), min_size=min_size, max_size=3)


def _put(tree: MemoryTree, files: Mapping[str, bytes | str]) -> None:
    for path, data in files.items():
        tree.write(path, data)


def _possible(tree: Tree) -> Tree:
    """The files, without those that would have to be a directory as well; the first ones win."""
    kept: dict[str, Entry] = {}
    for path, entry in tree.items():
        if not any(p.startswith(f"{path}/") or path.startswith(f"{p}/") for p in kept):
            kept[path] = entry
    return kept
