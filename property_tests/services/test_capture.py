from __future__ import annotations

from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from anabranch.services.processes import Limits
from anabranch.services.processes.capture import Ends, Stream
from anabranch.values import lines_of

pieces = st.lists(st.binary(max_size=12) | st.sampled_from([b"\n", b"a\n", b"\r\n", b"\0"]))
limits = st.builds(Limits, head=st.integers(0, 20), tail=st.integers(0, 20))


@given(pieces, limits)
def test_head_and_tail_are_the_ends_of_the_stream_and_never_overlap(
    pieces: list[bytes], limits: Limits
) -> None:
    ends = Ends(limits)
    for piece in pieces:
        ends.feed(piece)
    whole = b"".join(pieces)
    held = ends.captured(None)
    assert whole[: limits.head] == held.head
    assert whole[limits.head :][-limits.tail or len(whole) :] == held.tail
    assert len(whole) == held.size


@given(pieces, limits)
def test_a_stream_within_its_limits_is_held_whole(pieces: list[bytes], limits: Limits) -> None:
    ends = Ends(limits)
    for piece in pieces:
        ends.feed(piece)
    held = ends.captured(None)
    assert (held.size <= limits.head + limits.tail) == held.complete


@given(pieces, limits)
def test_listener_and_log_hear_everything_whatever_the_pieces(
    pieces: list[bytes], limits: Limits
) -> None:
    heard: list[bytes] = []
    log = Kept()
    stream = Stream(limits, open_log=lambda: log, listener=heard.extend)
    for piece in pieces:
        stream.feed(piece)
    stream.finish()
    whole = b"".join(pieces)
    assert lines_of(whole) == heard
    assert whole == log.kept


class Kept(BytesIO):
    """A log in memory, which is still there when it is closed."""

    name = "log"
    kept = b""

    def close(self) -> None:
        if not self.closed:
            self.kept = self.getvalue()
        super().close()
