"""Short ways to drive journals in tests."""

from __future__ import annotations

import errno
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import anyio
import pytest
from attrs import define

from anabranch.services.journal import Disk, FileJournal, open_journal

T = TypeVar("T")

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)

both_backends = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def now() -> datetime:
    return NOON


def written(
    directory: Path,
    use: Callable[[FileJournal], Awaitable[T]],
    *,
    disk: Callable[[Path, int], Disk] = Disk,
    clock: Callable[[], datetime] = now,
    backend: str = "asyncio",
) -> T:
    """Open a journal, use it, close it."""

    async def main() -> T:
        async with open_journal(directory, now=clock, version="1.2.3", disk=disk) as journal:
            return await use(journal)

    return anyio.run(main, backend=backend)


@define
class Room:
    """A disk with room for so many bytes."""

    left: int

    def write(self, descriptor: int, data: bytes) -> int:
        if self.left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        count = os.write(descriptor, data[: self.left])
        self.left -= count
        return count

    def disk(self, directory: Path, size: int) -> Disk:
        return Disk(directory, size, write=self.write, sync=lambda _: None)


def unsynced(directory: Path, size: int) -> Disk:
    """A disk that never waits."""
    return Disk(directory, size, sync=lambda _: None)


def small(directory: Path, size: int) -> Disk:
    """A disk that puts files away early."""
    return Disk(directory, size, segment_bytes=300, sync=lambda _: None)
