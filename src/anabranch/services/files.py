"""Whole files of this machine, replaced atomically and durably."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import final

from anyio import to_thread
from returns.result import Failure, Result, Success

from anabranch.environment import FileError
from anabranch.services.directories import make_directory, sync_directory


@final
class LocalFiles:
    """The live `Files`: what was written is there after a crash, whole, or not at all.

    >>> import anyio, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> anyio.run(LocalFiles().write, f"{folder.name}/new/note.txt", b"hi").unwrap()
    >>> anyio.run(LocalFiles().read, f"{folder.name}/new/note.txt").unwrap()
    b'hi'
    >>> folder.cleanup()
    """

    async def read(self, path: str) -> Result[bytes, FileError]:
        """The file's bytes."""
        try:
            return Success(await to_thread.run_sync(Path(path).read_bytes))
        except (OSError, ValueError) as error:
            return Failure(_failed(path, error))

    async def write(self, path: str, data: bytes) -> Result[None, FileError]:
        """Replace the file atomically, making its directory if need be.

        Bytes and name are on the disk when this returns. A symbolic link is followed, an
        existing file's permissions are kept, a new one's follow the umask.
        """
        try:
            await to_thread.run_sync(_replace, path, data)
        except (OSError, ValueError) as error:
            return Failure(_failed(path, error))
        return Success(None)


def _failed(path: str, error: OSError | ValueError) -> FileError:
    reason = error.strerror if isinstance(error, OSError) else None
    return FileError(path=path, message=reason or str(error))


def _replace(path: str, data: bytes) -> None:
    target = Path(os.path.realpath(path))
    make_directory(target.parent)
    beside = target.parent / f".anabranch-{token_hex(8)}.tmp"
    try:
        _write_through(beside, data, _permissions(target))
        beside.replace(target)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    sync_directory(target.parent)


def _permissions(target: Path) -> int | None:
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return None


def _write_through(path: Path, data: bytes, permissions: int | None) -> None:
    with path.open("xb", buffering=0) as file:
        if permissions is not None:
            os.fchmod(file.fileno(), permissions)
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
        os.fsync(file.fileno())
