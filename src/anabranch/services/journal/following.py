"""Reading a journal while another process writes it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import final

import anyio
from attrs import frozen

from anabranch.lifecycle import Event
from anabranch.services.journal.segments import decode_line, unchanged


@frozen
class _Chunk:
    """What a file holds from some place on."""

    path: Path
    inode: int
    data: bytes


@final
class Tail:
    """A place in a journal that moves on as it grows, across files that are put away.

    A line that has no end yet is left for the next time. No file is kept open.

    Args:
        directory: where the journal is, or will be.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._inode: int | None = None
        self._offset = self._line = self._sequence = 0

    def poll(self) -> tuple[Event, ...]:
        """What has come since the last time.

        Raises:
            HostError: a line is damaged, missing or of a newer schema.
            OSError: the files cannot be read.
        """
        chunks = unchanged(self._directory, self._look)
        return tuple(event for chunk in chunks for event in self._take(chunk))

    def _look(self, files: list[Path]) -> list[_Chunk]:
        inodes = [path.stat().st_ino for path in files]
        first = inodes.index(self._inode) if self._inode in inodes else 0
        return [
            _Chunk(path, inode, _read_from(path, self._offset if inode == self._inode else 0))
            for path, inode in zip(files[first:], inodes[first:], strict=True)
        ]

    def _take(self, chunk: _Chunk) -> list[Event]:
        if chunk.inode != self._inode:
            self._inode, self._offset, self._line = chunk.inode, 0, 0
        *lines, rest = chunk.data.split(b"\n")
        self._offset += len(chunk.data) - len(rest)
        return [self._decoded(line, chunk.path) for line in lines]

    def _decoded(self, line: bytes, path: Path) -> Event:
        self._sequence, self._line = self._sequence + 1, self._line + 1
        return decode_line(line, self._sequence, path, self._line)


def _read_from(path: Path, offset: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read()


async def follow(
    directory: Path, *, interval: timedelta = timedelta(milliseconds=100)
) -> AsyncGenerator[tuple[Event, ...]]:
    """The events of a run, those that are there first, then whatever comes; without end.

    Whoever stops listening closes it (`contextlib.aclosing`).

    Args:
        directory: where the journal is, or will be.
        interval: how often to look for more.
    """
    tail = Tail(directory)
    while True:
        events = tail.poll()
        if events:
            yield events
        await anyio.sleep(interval.total_seconds())
