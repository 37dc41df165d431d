"""Hypothesis strategies for git: names that tools stumble over, trees of files, edits of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, TypeAlias

from hypothesis import strategies as st

Files: TypeAlias = dict[str, bytes]
"""Content by path; a name that is no UTF-8 has surrogate escapes, as `os.fsdecode` gives it."""

Edits: TypeAlias = dict[str, bytes | None]
"""New content by path; `None` deletes the file."""

NASTY_NAMES: Final = (
    "-rf",
    "--help",
    " ",
    " leading and trailing ",
    "new\nline",
    'quote"d',
    "it's",
    "back\\slash",
    "tab\there",
    "$HOME",
    "*",
    "[ab]",
    ":(top)x",
    "!not",
    "#comment",
    "~",
    "{a,b}",
    "caf\N{LATIN SMALL LETTER E WITH ACUTE}",
    "cafe\N{COMBINING ACUTE ACCENT}",
    "\N{SNOWMAN}",
    os.fsdecode(b"latin-\xe9"),
    os.fsdecode(b"\xff\xfe"),
    "\x01",
    "\x7f",
    "end",
    "x" * 120,
    ".hidden",
    "a.lock",
    "UPPER",
    "upper",
)
"""Names of files that have broken something, somewhere."""

_FORBIDDEN: Final = frozenset({"", ".", ".."})


def file_names() -> st.SearchStrategy[str]:
    """One part of a path: nasty, plain, or any bytes that a file system takes."""
    wild = st.binary(min_size=1, max_size=12).map(lambda raw: raw.translate(None, b"/\0"))
    plain = st.text("abc", min_size=1, max_size=2)
    return st.one_of(plain, st.sampled_from(NASTY_NAMES), wild.map(os.fsdecode)).filter(_is_allowed)


def file_paths() -> st.SearchStrategy[str]:
    """Paths of one to three parts."""
    return st.lists(file_names(), min_size=1, max_size=3).map("/".join)


def contents() -> st.SearchStrategy[bytes]:
    """What is in files: often a few lines out of few, so that edits meet; sometimes binary."""
    lines = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n", b"no end"]), max_size=6)
    return st.one_of(lines.map(b"".join), st.binary(max_size=20))


def file_trees(*, min_size: int = 1, max_size: int = 6) -> st.SearchStrategy[Files]:
    """Files of a commit: no path is a directory of another."""
    found = st.dictionaries(file_paths(), contents(), min_size=min_size, max_size=max_size)
    return found.map(without_clashes)


def _as_long_as(content: bytes) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=len(content), max_size=len(content))


@st.composite
def edits_of(draw: st.DrawFn, files: Mapping[str, bytes]) -> Edits:
    """Changes of a tree that leave a tree: edits, deletions, additions.

    An edit may leave a file as long as it was, so that nothing but a clock tells.
    """
    touched = draw(st.sets(st.sampled_from(sorted(files)))) if files else set[str]()
    edits: Edits = {
        path: draw(st.none() | contents() | _as_long_as(files[path])) for path in sorted(touched)
    }
    kept = [path for path in files if edits.get(path, b"") is not None]
    for path, content in draw(file_trees(min_size=0, max_size=3)).items():
        if not any(_clash(path, other) for other in kept):
            edits[path] = content
    return edits


def edited(files: Mapping[str, bytes], edits: Mapping[str, bytes | None]) -> Files:
    """The tree after its edits.

    >>> edited({"a": b"1", "b": b"2"}, {"a": None, "c": b"3"})
    {'b': b'2', 'c': b'3'}
    """
    merged: dict[str, bytes | None] = {**files, **edits}
    return {path: content for path, content in merged.items() if content is not None}


def edits_between(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Edits:
    """The edits that make one tree of the other.

    >>> edits_between({"a": b"1", "b": b"2"}, {"b": b"3"})
    {'a': None, 'b': b'3'}
    """
    paths = sorted(old.keys() | new.keys())
    return {path: new.get(path) for path in paths if old.get(path) != new.get(path)}


def without_clashes(files: Mapping[str, bytes]) -> Files:
    """The files, without those that would have to be a directory as well."""
    kept: Files = {}
    for path, content in files.items():
        if not any(_clash(path, other) for other in kept):
            kept[path] = content
    return kept


def _clash(one: str, other: str) -> bool:
    return one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _is_allowed(name: str) -> bool:
    """Git refuses what some file system takes for `.git`, by way of ignored characters too."""
    folded = "".join(c for c in name.lower() if c.isascii() and c.isprintable()).rstrip(" .")
    return name not in _FORBIDDEN and not folded.startswith((".git", "git~"))
