"""Lines: those of a stream of bytes, and those of a message."""

from __future__ import annotations

from typing import Final

LONGEST_LINE: Final = 1 << 20
"""A line longer than that, in bytes, comes in pieces."""


def split_lines(carry: bytes, data: bytes) -> tuple[list[bytes], bytes]:
    r"""The lines that are complete now, without their ends, and what is left for later.

    Only `\n` ends a line. Whatever pieces a stream comes in, its lines are the same, but for
    where a line longer than `LONGEST_LINE` is cut.

    Args:
        carry: what was left the last time; at first nothing.
        data: the next piece of the stream.

    >>> split_lines(b"on", b"e\ntwo\r\nthr")
    ([b'one', b'two\r'], b'thr')
    """
    lines = data.split(b"\n")
    if carry:
        lines[0] = carry + lines[0]
    rest = lines.pop()
    if len(rest) > LONGEST_LINE:
        return [*lines, rest], b""
    return lines, rest


def lines_of(stream: bytes) -> list[bytes]:
    r"""All lines of a whole stream; the last one need not have an end.

    >>> lines_of(b"one\n\nthree")
    [b'one', b'', b'three']
    """
    lines, rest = split_lines(b"", stream)
    return [*lines, rest] if rest else lines


def indented(text: str) -> str:
    r"""A text that stands in a line of its own among others: all its lines but the first are set in.

    >>> print("  why: " + indented("no room\nfor more"))
      why: no room
        for more
    """
    return text.replace("\n", "\n    ")
