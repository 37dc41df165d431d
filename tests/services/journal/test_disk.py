from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from anabranch.services.journal import ACTIVE, Disk


def read(directory: Path) -> bytes:
    return (directory / ACTIVE).read_bytes()


def test_what_is_committed_is_appended(tmp_path: Path) -> None:
    disk = Disk(tmp_path, 0)
    disk.commit(b"one\n")
    disk.commit(b"two\n")
    assert b"one\ntwo\n" == read(tmp_path)
    disk.close()


def test_what_is_not_to_be_kept_is_cut_off(tmp_path: Path) -> None:
    (tmp_path / ACTIVE).write_bytes(b"one\ntw")
    Disk(tmp_path, 4).close()
    assert b"one\n" == read(tmp_path)


def test_a_file_is_never_made_longer_than_it_is(tmp_path: Path) -> None:
    (tmp_path / ACTIVE).write_bytes(b"one\n")
    Disk(tmp_path, 9).close()
    assert b"one\n" == read(tmp_path)


def test_a_write_that_stops_halfway_goes_on(tmp_path: Path) -> None:
    disk = Disk(tmp_path, 0, write=lambda to, data: os.write(to, data[:1]))
    disk.commit(b"one\n")
    assert b"one\n" == read(tmp_path)
    disk.close()


def test_a_write_that_fails_halfway_is_undone(tmp_path: Path) -> None:
    calls: list[int] = []

    def write(to: int, data: bytes) -> int:
        calls.append(to)
        if len(calls) > 2:
            raise OSError(errno.ENOSPC, "full")
        return os.write(to, data[:2])

    disk = Disk(tmp_path, 0, write=write)
    with pytest.raises(OSError, match="full"):
        disk.commit(b"one two\n")
    assert b"" == read(tmp_path)
    disk.close()


def test_a_file_that_cannot_be_put_away_grows_on(tmp_path: Path) -> None:
    disk, moved = Disk(tmp_path, 0, segment_bytes=2), tmp_path / "moved"
    (tmp_path / ACTIVE).rename(moved)
    disk.commit(b"one\n")
    disk.commit(b"two\n")
    disk.close()
    assert b"one\ntwo\n" == moved.read_bytes()


def test_a_file_that_was_put_away_is_never_replaced(tmp_path: Path) -> None:
    disk = Disk(tmp_path, 0, segment_bytes=2)
    for line in (b"one\n", b"two\n"):
        disk.commit(line)
    (tmp_path / "journal.0001.jsonl").unlink()
    disk.commit(b"three\n")
    disk.close()
    assert b"two\n" == (tmp_path / "journal.0002.jsonl").read_bytes()
    assert b"three\n" == (tmp_path / "journal.0003.jsonl").read_bytes()


def test_the_name_of_each_file_is_on_disk_before_anything_is_in_it(tmp_path: Path) -> None:
    synced: list[Path] = []

    def sync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    disk = Disk(tmp_path, 0, segment_bytes=2, sync=sync)
    file, directory = tmp_path / ACTIVE, tmp_path
    assert [directory] == synced
    disk.commit(b"one\n")
    assert [directory, file, directory] == synced
    disk.close()
