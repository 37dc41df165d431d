from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anabranch.values import LONGEST_LINE, lines_of, split_lines

pieces = st.lists(st.binary(max_size=12) | st.sampled_from([b"\n", b"a\n", b"\r\n", b"\r"]))


@given(pieces)
def test_lines_do_not_depend_on_the_pieces_that_a_stream_comes_in(pieces: list[bytes]) -> None:
    lines: list[bytes] = []
    carry = b""
    for piece in pieces:
        more, carry = split_lines(carry, piece)
        lines += more
    assert lines_of(b"".join(pieces)) == [*lines, *([carry] if carry else [])]


@given(st.lists(st.binary().filter(lambda line: b"\n" not in line)))
def test_lines_that_were_joined_come_apart_again(lines: list[bytes]) -> None:
    assert lines == lines_of(b"".join(line + b"\n" for line in lines))


def test_a_line_without_end_is_cut_so_that_memory_is_bounded() -> None:
    assert ([b"x" * (LONGEST_LINE + 1)], b"") == split_lines(b"x" * LONGEST_LINE, b"x")
