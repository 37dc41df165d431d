from __future__ import annotations

from pathlib import Path

import pytest

from anabranch.services.journal import ACTIVE
from anabranch.services.journal.segments import sealed_name, unchanged


def test_files_that_are_put_away_while_one_looks_are_looked_at_again(tmp_path: Path) -> None:
    active = tmp_path / ACTIVE
    active.write_bytes(b"one\n")
    looked: list[list[str]] = []

    def look(files: list[Path]) -> list[bytes]:
        looked.append([file.name for file in files])
        if len(looked) == 1:
            active.rename(sealed_name(tmp_path))
        return [file.read_bytes() for file in files]

    assert [b"one\n"] == unchanged(tmp_path, look)
    assert [[ACTIVE], ["journal.0001.jsonl"]] == looked


def test_a_file_that_is_missing_for_another_reason_is_an_error(tmp_path: Path) -> None:
    def look(_: list[Path]) -> None:
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        unchanged(tmp_path, look)
