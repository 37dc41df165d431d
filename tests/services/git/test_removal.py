from __future__ import annotations

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
