r"""The laws of `Files`.

1. What was written is read, byte for byte, and its directories are made.
2. What is written over is gone, as a whole.
3. What is not there is a failure that names it.
4. Writes to one file at the same time leave one of them, whole; those to others, all of them.
"""

from __future__ import annotations

from typing import Final

import anyio
from returns.result import Failure, Result, Success

from anabranch.environment import FileError, Files

_CONTENTS: Final = (b"", b"\n", b"one\ntwo", b"\0\xff\xfe", b"x" * 100_000)


async def check_files(files: Files, directory: str) -> None:
    """Check that an implementation of `Files` obeys the laws.

    Args:
        files: the implementation.
        directory: where to write: an absolute path, of nothing that anybody needs.

    Raises:
        AssertionError: it does not; the text says what came and what was expected.

    >>> from anabranch.testing import mock_env
    >>> anyio.run(check_files, mock_env().files, "/anywhere")
    """
    await _check_missing(files, f"{directory}/missing")
    for number, data in enumerate(_CONTENTS):
        await _check_written(files, f"{directory}/deep/{number}", data)
        await _check_written(files, f"{directory}/over", data)
    await _check_at_once(files, directory)


async def _check_missing(files: Files, path: str) -> None:
    answer = await files.read(path)
    assert isinstance(answer, Failure), f"{path} is not there, but reading it answers {answer}"
    assert path == answer.failure().path, f"the failure names {answer.failure().path}, not {path}"


async def _check_written(files: Files, path: str, data: bytes) -> None:
    answer = await files.write(path, data)
    assert answer == Success(None), f"writing {path} answers {answer}"
    _check_same(await files.read(path), path, data)


def _check_same(answer: Result[bytes, FileError], path: str, data: bytes) -> None:
    assert answer == Success(data), f"{path} holds {answer!s:.200}, expected {data!r:.200}"


async def _check_at_once(files: Files, directory: str) -> None:
    same = f"{directory}/same"
    async with anyio.create_task_group() as tasks:
        for number, data in enumerate(_CONTENTS):
            tasks.start_soon(files.write, same, data)
            tasks.start_soon(files.write, f"{directory}/own/{number}", data)
    read = await files.read(same)
    assert read in [Success(data) for data in _CONTENTS], f"{same} holds {read!s:.200}: of nobody"
    for number, data in enumerate(_CONTENTS):
        path = f"{directory}/own/{number}"
        _check_same(await files.read(path), path, data)
