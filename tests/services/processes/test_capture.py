"""One output stream, without what is secret in it."""

from __future__ import annotations

import errno
import os
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import pytest

from anabranch.lifecycle import Masker
from anabranch.services.processes.capture import Limits, Stream

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def test_a_secret_that_comes_in_pieces_reaches_memory_only(tmp_path: Path) -> None:
    heard: list[bytes] = []
    stream = Stream(
        Limits(),
        open_log=lambda: (tmp_path / "log").open("xb", buffering=0),
        listener=heard.extend,
        masker=Masker.of(["correct-horse"]),
    )
    for piece in (b"say corr", b"ect-ho", b"rse\nand ", b"corre", b"ct-horse"):
        stream.feed(piece)
    captured = stream.finish()
    assert b"say correct-horse\nand correct-horse" == captured.head
    assert b"say ***\nand ***" == (tmp_path / "log").read_bytes()
    assert [b"say ***", b"and ***"] == heard


class Nearly(FileIO):
    """A file on a disk that has room for so many bytes more."""

    room = 100_000

    def write(self, data: ReadableBuffer, /) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = super().write(memoryview(data)[: self.room])
        self.room -= written
        return written


@pytest.mark.parametrize(("size", "named"), [(99_999, True), (100_000, True), (100_001, False)])
def test_who_is_named_a_log_finds_everything_in_it(
    tmp_path: Path, size: int, *, named: bool
) -> None:
    path = str(tmp_path / "log")
    stream = Stream(Limits(), open_log=lambda: cast("BinaryIO", Nearly(path, "xb")))
    stream.feed(b"x" * size)
    assert (path if named else None) == stream.finish().log
    assert not named or size == Path(path).stat().st_size


def test_the_end_that_is_shown_is_cut_after_it_was_masked() -> None:
    for size in range(1, 40):
        stream = Stream(Limits(head=4, tail=size), masker=Masker.of(["CORRECT-HORSE"]))
        for piece in (b"say CORR", b"ECT-HO", b"RSE", b" and ", b"more"):
            stream.feed(piece)
        shown = stream.finish().shown
        assert shown is not None
        assert b"say *** and more"[-size:] == shown


def test_what_nobody_masks_is_not_shown() -> None:
    assert Stream(Limits()).finish().shown is None
