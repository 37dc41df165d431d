from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from anabranch.services.git.removal import put_away


def test_what_is_not_there_is_not_put_away(tmp_path: Path) -> None:
    assert put_away(str(tmp_path / "gone"), str(tmp_path / "trash")) is None


def test_a_trash_directory_that_another_thread_takes_away_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tree").mkdir()
    trash, rename = tmp_path / "trash", os.rename

    def rename_late(source: str, target: str) -> None:
        monkeypatch.setattr("os.rename", rename)
        trash.rmdir()
        rename(source, target)

    monkeypatch.setattr("os.rename", rename_late)
    put = put_away(str(tmp_path / "tree"), str(trash))
    assert put is not None
    assert [Path(put)] == list(trash.iterdir())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_where_no_directory_more_can_be_made_a_tree_is_deleted_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(_: str) -> None:
        raise OSError(number, os.strerror(number))

    (tmp_path / "tree" / "inner").mkdir(parents=True)
    monkeypatch.setattr("anabranch.services.git.removal.os.makedirs", full)
    assert put_away(str(tmp_path / "tree"), str(tmp_path / "trash")) is None
    assert [] == list(tmp_path.iterdir())


def test_a_place_where_nothing_may_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> None:
        raise PermissionError(errno.EACCES, "no")

    (tmp_path / "tree").mkdir()
    monkeypatch.setattr("anabranch.services.git.removal.os.makedirs", refuse)
    with pytest.raises(PermissionError):
        put_away(str(tmp_path / "tree"), str(tmp_path / "trash"))
    assert (tmp_path / "tree").is_dir()
