from __future__ import annotations

import os
from pathlib import Path

import pytest

from anabranch.services import directories
from anabranch.services.directories import make_directory, sync_directory


def test_the_name_of_every_directory_that_was_made_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(directories, "sync_directory", synced.append)
    make_directory(tmp_path / "a" / "b" / "c")
    assert [tmp_path, tmp_path / "a", tmp_path / "a" / "b"] == synced
    make_directory(tmp_path / "a" / "b")
    assert 3 == len(synced)


def test_a_file_in_the_place_of_a_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        make_directory(tmp_path / "file")
    with pytest.raises(NotADirectoryError):
        make_directory(tmp_path / "file" / "below" / "it")


def test_a_directory_is_synced_and_closed_again(tmp_path: Path) -> None:
    seen: list[tuple[int, bool]] = []

    def sync(descriptor: int) -> None:
        seen.append((descriptor, os.path.samestat(os.fstat(descriptor), tmp_path.stat())))
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        sync_directory(tmp_path, sync)
    [(descriptor, was_this)] = seen
    assert was_this
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
