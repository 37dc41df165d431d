"""Three versions of a text made one: `xdl_merge` of git's `xdiff/xmerge.c`, at its default level.

Changes that touch are one conflict; a conflict is looked at once more, line by line: it is none if
both sides turn out to say the same, and else only what really differs, where that is far apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from attrs import define, evolve, frozen

from anabranch.testing.git.lines import Change, Lines, changes, split

_LOOKED_AT: Final = 8000
MARKER: Final = 7
"""How long the markers of a conflict are."""

_BOTH, _OURS, _THEIRS = 0, 1, 2


@define
class _Piece:
    """A stretch that somebody changed: whose version it is, where, and how long, in each file."""

    mode: int
    base: int
    base_size: int
    ours: int
    ours_size: int
    theirs: int
    theirs_size: int


def is_binary(data: bytes) -> bool:
    """Whether git takes something for no text."""
    return b"\0" in data[:_LOOKED_AT]


def merge_texts(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    r"""The merged text; `None` if both changed the same place.

    >>> merge_texts(b"a\nb\nc\n", b"A\nb\nc\n", b"a\nb\nC\n")
    b'A\nb\nC\n'
    """
    one, two = split(ours), split(theirs)
    pieces = _compared(base, one, two)
    if any(piece.mode == _BOTH for piece in pieces):
        return None
    return b"".join(_assembled(pieces, one, two, _Markers()))


@frozen(kw_only=True)
class _Markers:
    """What stands around the two sides of a conflict."""

    ours: str = ""
    theirs: str = ""
    size: int = MARKER

    def around(self, ours: Lines, theirs: Lines) -> Iterator[bytes]:
        yield b"<" * self.size + f" {self.ours}\n".encode()
        yield from map(_ended, ours)
        yield b"=" * self.size + b"\n"
        yield from map(_ended, theirs)
        yield b">" * self.size + f" {self.theirs}\n".encode()


def _ended(line: bytes) -> bytes:
    return line if line.endswith(b"\n") else line + b"\n"


def marked_text(
    base: bytes, ours: bytes, theirs: bytes, *, names: tuple[str, str], size: int = MARKER
) -> bytes:
    r"""The merged text, with both sides between markers where both changed the same place.

    Args:
        base: the version that both come from.
        ours: the first of the two.
        theirs: the second.
        names: what the two sides are called.
        size: how long the markers are.

    >>> marked_text(b"", b"a\n", b"b\n", names=("HEAD", "other"))
    b'<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n'

    Git ends its markers as the lines around them end; here they end in a line feed.
    """
    one, two = split(ours), split(theirs)
    markers = _Markers(ours=names[0], theirs=names[1], size=size)
    return b"".join(_assembled(_compared(base, one, two), one, two, markers))


def _compared(base: bytes, one: Lines, two: Lines) -> list[_Piece]:
    """What each side changed; where both did, as little as really differs."""
    old = split(base)
    mine, yours = changes(old, one), changes(old, two)
    pieces = _pieces(mine, yours, one, two, len(old))
    return _joined([fine for piece in pieces for fine in _refined(piece, one, two)])


def _refined(piece: _Piece, one: Lines, two: Lines) -> Iterator[_Piece]:
    """A conflict, as the stretches of it in which the sides differ (`xdl_refine_conflicts`)."""
    if piece.mode != _BOTH or piece.ours_size == 0 or piece.theirs_size == 0:
        yield piece
        return
    ours = one[piece.ours : piece.ours + piece.ours_size]
    theirs = two[piece.theirs : piece.theirs + piece.theirs_size]
    for part in changes(ours, theirs):
        yield evolve(
            piece,
            ours=piece.ours + part.start,
            ours_size=part.size,
            theirs=piece.theirs + part.other_start,
            theirs_size=part.other_size,
        )


_NEAR: Final = 3
"""Conflicts with so few lines between them are one (`xdl_simplify_non_conflicts`)."""


def _joined(pieces: Iterable[_Piece]) -> list[_Piece]:
    found: list[_Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if (
            last is None
            or not last.mode == piece.mode == _BOTH
            or piece.ours - last.ours - last.ours_size > _NEAR
        ):
            found.append(piece)
            continue
        last.ours_size = piece.ours + piece.ours_size - last.ours
        last.theirs_size = piece.theirs + piece.theirs_size - last.theirs
    return found


def _pieces(
    mine: list[Change], yours: list[Change], one: Lines, two: Lines, size: int
) -> list[_Piece]:
    """Both scripts as one: what only one side changed, and what both did."""
    found: list[_Piece] = []
    i = j = 0
    while i < len(mine) and j < len(yours):
        a, b = mine[i], yours[j]
        if a.start + a.size < b.start:
            _append(found, _only_ours(a, b.other_start - b.start))
            i += 1
        elif b.start + b.size < a.start:
            _append(found, _only_theirs(b, a.other_start - a.start))
            j += 1
        else:
            if not _equal(a, b, one, two):
                _append(found, _meeting(a, b))
            i, j = i + (_end(a) <= _end(b)), j + (_end(b) <= _end(a))
    for a in mine[i:]:
        _append(found, _only_ours(a, len(two) - size))
    for b in yours[j:]:
        _append(found, _only_theirs(b, len(one) - size))
    return found


def _end(change: Change) -> int:
    return change.start + change.size


def _only_ours(a: Change, shift: int) -> _Piece:
    return _Piece(_OURS, a.start, a.size, a.other_start, a.other_size, a.start + shift, a.size)


def _only_theirs(b: Change, shift: int) -> _Piece:
    return _Piece(_THEIRS, b.start, b.size, b.start + shift, b.size, b.other_start, b.other_size)


def _equal(a: Change, b: Change, one: Lines, two: Lines) -> bool:
    return (a.start, a.size) == (b.start, b.size) and (
        one[a.other_start : a.other_start + a.other_size]
        == two[b.other_start : b.other_start + b.other_size]
    )


def _meeting(a: Change, b: Change) -> _Piece:
    """Two changes that meet, widened to the same stretch of the base."""
    start, end = min(a.start, b.start), max(_end(a), _end(b))
    ours = a.other_start - (a.start - start)
    theirs = b.other_start - (b.start - start)
    ours_end = a.other_start + a.other_size + (end - _end(a))
    theirs_end = b.other_start + b.other_size + (end - _end(b))
    return _Piece(_BOTH, start, end - start, ours, ours_end - ours, theirs, theirs_end - theirs)


def _append(found: list[_Piece], piece: _Piece) -> None:
    """Add a piece; to the one before it, if they touch."""
    last = found[-1] if found else None
    if last is None or not (
        piece.ours <= last.ours + last.ours_size or piece.theirs <= last.theirs + last.theirs_size
    ):
        found.append(piece)
        return
    if piece.mode != last.mode:
        last.mode = _BOTH
    last.base_size = piece.base + piece.base_size - last.base
    last.ours_size = piece.ours + piece.ours_size - last.ours
    last.theirs_size = piece.theirs + piece.theirs_size - last.theirs


def _assembled(pieces: list[_Piece], one: Lines, two: Lines, markers: _Markers) -> Iterator[bytes]:
    done = 0
    for piece in pieces:
        ours = one[piece.ours : piece.ours + piece.ours_size]
        theirs = two[piece.theirs : piece.theirs + piece.theirs_size]
        yield from one[done : piece.ours]
        if piece.mode == _BOTH:
            yield from markers.around(ours, theirs)
        else:
            yield from ours if piece.mode == _OURS else theirs
        done = piece.ours + piece.ours_size
    yield from one[done:]
