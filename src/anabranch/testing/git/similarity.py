"""How alike git finds two files: `diffcore-rename.c` and `diffcore-delta.c`.

A file is cut into lines, long ones into stretches of 64 bytes, and each is reduced to a small
number. What both files have of a number, counted in bytes, is what was copied.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from anabranch.testing.git.objects import LINK, Entry
from anabranch.testing.git.texts import is_binary

_CHUNK: Final = 64
_NUMBERS: Final = 107927
_WORD: Final = (1 << 32) - 1
_NEWLINE: Final = 0x0A
_RETURN: Final = 0x0D


def is_moved(one: Entry, other: Entry) -> bool:
    """Whether git takes one for the other, moved: the same content, and not none at all."""
    return bool(one.data) and one.data == other.data and same_kind(one, other)


def same_kind(one: Entry, other: Entry) -> bool:
    """Whether both are files, or both are links."""
    return (one.mode == LINK) == (other.mode == LINK)


def may_be_renamed(one: Entry, other: Entry) -> bool:
    """Whether some git takes one for the other, changed: half of it is the same.

    Links are never compared. Git before 2.44 forgets a last line that has no end.
    """
    return is_moved(one, other) or any(_alike(one, other))


def is_renamed(one: Entry, other: Entry) -> bool:
    """Whether every git takes one for the other, if there is nothing else to take it for."""
    return is_moved(one, other) or all(_alike(one, other))


def _alike(one: Entry, other: Entry) -> tuple[bool, bool]:
    """Whether half is the same, without and with a last line that has no end."""
    if LINK in {one.mode, other.mode} or not one.data or not other.data:
        return False, False
    size = max(len(one.data), len(other.data))
    without, with_last = (_copied(one.data, other.data, last=last) for last in (False, True))
    return without * 2 >= size, with_last * 2 >= size


def _copied(one: bytes, other: bytes, *, last: bool) -> int:
    mine, yours = _numbers(one, last=last), _numbers(other, last=last)
    return (mine & yours).total()


def _numbers(data: bytes, *, last: bool) -> Counter[int]:
    """The bytes that fall on each number; the last line counts if it has an end, or if asked."""
    found: Counter[int] = Counter()
    text, first, second, size = not is_binary(data), 0, 0, 0
    for place, byte in enumerate(data):
        if text and byte == _RETURN and data[place + 1 : place + 2] == b"\n":
            continue
        first, second = (
            ((first << 7) & _WORD) ^ (second >> 25),
            ((second << 7) & _WORD) ^ (first >> 25),
        )
        first, size = (first + byte) & _WORD, size + 1
        if size == _CHUNK or byte == _NEWLINE:
            found[((first + second * 0x61) & _WORD) % _NUMBERS] += size
            first = second = size = 0
    if size and last:
        found[((first + second * 0x61) & _WORD) % _NUMBERS] += size
    return found
