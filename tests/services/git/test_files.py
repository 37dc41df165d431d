from __future__ import annotations

import os
from pathlib import Path

import pytest

from anabranch.services.git.files import read_file


@pytest.mark.parametrize("size", [0, 1, 1 << 16, (1 << 16) + 1])
def test_a_file_is_read_whole(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    assert b"x" * size == read_file(str(path))


def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert b"" == read_file(str(path))
