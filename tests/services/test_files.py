from __future__ import annotations

from pathlib import Path

import pytest
from returns.result import Failure, Success

from anabranch.services.files import LocalFiles

pytestmark = pytest.mark.anyio


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def test_what_was_written_is_read_back_and_its_directory_made(tmp_path: Path) -> None:
    path = str(tmp_path / "a" / "b" / "file")
    assert Success(None) == await LocalFiles().write(path, b"\0\xff\n")
    assert Success(b"\0\xff\n") == await LocalFiles().read(path)


async def test_writing_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    for data in (b"one", b"two"):
        await LocalFiles().write(str(tmp_path / "file"), data)
    assert ["file"] == names(tmp_path)


async def test_a_missing_file_is_a_failure_that_names_it(tmp_path: Path) -> None:
    read = await LocalFiles().read(str(tmp_path / "none"))
    assert f"{tmp_path}/none: No such file or directory" == str(read.failure())


@pytest.mark.parametrize("name", ["", "directory", "file/below", "nul\0byte"])
async def test_what_cannot_be_written_is_a_failure_and_leaves_everything_as_it_was(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").touch()
    written = await LocalFiles().write(f"{tmp_path}/{name}", b"data")
    assert isinstance(written, Failure)
    assert ["directory", "file"] == names(tmp_path)


async def test_the_permissions_of_a_replaced_file_stay(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.touch(0o750)
    await LocalFiles().write(str(script), b"#!/bin/sh\n")
    assert 0o100750 == script.stat().st_mode


async def test_a_new_file_has_the_permissions_that_the_umask_gives(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    await LocalFiles().write(str(tmp_path / "written"), b"")
    assert (tmp_path / "plain").stat().st_mode == (tmp_path / "written").stat().st_mode


async def test_a_symbolic_link_stays_and_the_file_behind_it_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    await LocalFiles().write(str(tmp_path / "link"), b"new")
    assert b"new" == (tmp_path / "target").read_bytes()
