"""Three versions of a text made one: `xdl_merge` of git's `xdiff/xmerge.c`, at its default level.

Changes that touch are one conflict; a conflict is looked at once more, line by line, and is none
if both sides turn out to say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import define

from anabranch.testing.git.lines import Change, Lines, changes, split

_LOOKED_AT: Final = 8000
_BOTH, _OURS, _THEIRS, _SAME = 0, 1, 2, 4


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
    old, one, two = split(base), split(ours), split(theirs)
    mine, yours = changes(old, one), changes(old, two)
    if not mine:
        return theirs
    if not yours:
        return ours
    pieces = _pieces(mine, yours, one, two, len(old))
    if any(p.mode == _BOTH and not _agree(p, one, two) for p in pieces):
        return None
    return b"".join(_assembled(pieces, one, two))


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


def _agree(piece: _Piece, one: Lines, two: Lines) -> bool:
    """Whether both sides say the same after all."""
    if piece.ours_size == 0 or piece.theirs_size == 0:
        return False
    ours = one[piece.ours : piece.ours + piece.ours_size]
    if ours != two[piece.theirs : piece.theirs + piece.theirs_size]:
        return False
    piece.mode = _SAME
    return True


def _assembled(pieces: list[_Piece], one: Lines, two: Lines) -> Iterator[bytes]:
    done = 0
    for piece in pieces:
        if piece.mode == _SAME:
            continue
        yield from one[done : piece.ours]
        if piece.mode == _OURS:
            yield from one[piece.ours : piece.ours + piece.ours_size]
        else:
            yield from two[piece.theirs : piece.theirs + piece.theirs_size]
        done = piece.ours + piece.ours_size
    yield from one[done:]
