"""One output stream, without what is secret in it."""

from __future__ import annotations

from pathlib import Path

from anabranch.lifecycle import Masker
from anabranch.services.processes.capture import Limits, Stream


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
