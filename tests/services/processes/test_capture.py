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
