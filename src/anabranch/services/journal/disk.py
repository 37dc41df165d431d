"""The file that a journal is written to: appended, synced, rotated."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, final

from anabranch.services.directories import sync_directory
from anabranch.services.journal.segments import ACTIVE, sealed_name

SEGMENT_BYTES: Final = 64 * 2**20
"""How big a file may grow before the next one is begun."""


@final
class Disk:
    """The active file of a journal, open for writing by exactly one owner.

    Args:
        directory: where the journal is; it exists.
        size: how many bytes of the active file are to be kept. The rest is cut off.
        segment_bytes: a file that has grown beyond this is put away and a new one begun.
        write, sync: the system's own; tests put worse ones in their place.

    Raises:
        OSError: the file cannot be opened, cut or synced.
    """

    def __init__(
        self,
        directory: Path,
        size: int,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        write: Callable[[int, bytes], int] = os.write,
        sync: Callable[[int], None] = os.fsync,
    ) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._write, self._sync = write, sync
        self._descriptor = self._open()
        self._size = size
        if os.fstat(self._descriptor).st_size > size:
            os.ftruncate(self._descriptor, size)
            self._sync(self._descriptor)

    def commit(self, data: bytes) -> None:
        """Append lines; they are durable when this returns.

        Raises:
            OSError: they are not in the file, and what was there before is.
        """
        try:
            self._append(data)
            self._sync(self._descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(data)
        if self._size > self._segment_bytes:
            self._rotate()

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _append(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._write(self._descriptor, bytes(rest)) :]

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._directory / ACTIVE, flags, 0o644)
        sync_directory(self._directory, self._sync)
        return descriptor

    def _rotate(self) -> None:
        """Begin a new file; if that does not succeed, the old one has to grow on."""
        active, sealed = self._directory / ACTIVE, sealed_name(self._directory)
        try:
            active.rename(sealed)
            descriptor = self._open()
        except OSError:
            with suppress(OSError):
                sealed.rename(active)
            return
        os.close(self._descriptor)
        self._descriptor, self._size = descriptor, 0
