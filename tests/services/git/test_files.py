from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from anabranch.services.git.files import read_file, turn_file


@pytest.mark.parametrize("size", [0, 1, 1 << 16, (1 << 16) + 1])
def test_a_file_is_read_whole(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    assert b"x" * size == read_file(str(path))


def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert b"" == read_file(str(path))


def test_files_that_take_turns_hold_what_was_written_last(tmp_path: Path) -> None:
    path = tmp_path / "HEAD"
    texts = [b"first, and long\n", b"second\n", b"", b"third, and longer than any\n", b"4\n"]
    seen = list[bytes]()
    for text in texts:
        turn_file(str(path), text)
        seen.append(path.read_bytes())
    assert texts == seen


def test_taking_turns_makes_no_third_file(tmp_path: Path) -> None:
    path = tmp_path / "HEAD"
    found = set[int]()
    for number in range(9):
        turn_file(str(path), b"%d" % number)
        found.add(path.stat().st_ino)
    assert (2, {"HEAD", "HEAD.new"}) == (len(found), {each.name for each in tmp_path.iterdir()})


def never(*_: bytes) -> bool:
    return False


def test_where_files_cannot_swap_names_one_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anabranch.services.git.files._exchange", lambda: never)
    path = tmp_path / "HEAD"
    for text in (b"one, and longer", b"two"):
        turn_file(str(path), text)
    assert (b"two", ["HEAD"]) == (path.read_bytes(), [each.name for each in tmp_path.iterdir()])


def made(path: Path, mode: int) -> None:
    path.touch()
    path.chmod(mode)


MEDDLING: dict[str, Callable[[Path, Path], object]] = {
    "a link to another file": lambda spare, other: spare.symlink_to(other),
    "a link to nothing": lambda spare, other: spare.symlink_to(other.with_name("nothing")),
    "another name of a file": lambda spare, other: spare.hardlink_to(other),
    "a pipe": lambda spare, _: os.mkfifo(spare),
    "a program": lambda spare, _: made(spare, 0o755),
    "read-only": lambda spare, _: made(spare, 0o400),
}


@pytest.mark.parametrize("meddle", MEDDLING)
def test_what_waits_for_its_turn_is_made_anew_if_somebody_meddled(
    tmp_path: Path, meddle: str
) -> None:
    path, spare, other = (tmp_path / name for name in ("HEAD", "HEAD.new", "other"))
    path.write_text("before")
    other.write_text("precious")
    MEDDLING[meddle](spare, other)
    turn_file(str(path), b"after")
    found = path.lstat()
    assert (b"after", "precious") == (path.read_bytes(), other.read_text())
    assert (True, 1, 0o600) == (
        stat.S_ISREG(found.st_mode),
        found.st_nlink,
        found.st_mode & 0o711,
    )
