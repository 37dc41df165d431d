"""Whole files: the port."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen
from returns.result import Result


@frozen(kw_only=True)
class FileError:
    """A file that could not be read or written."""

    path: str
    message: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.path}: {self.message}"


class Files(Protocol):
    """Whole files, by absolute path."""

    async def read(self, path: str) -> Result[bytes, FileError]:
        """The file's bytes."""
        ...

    async def write(self, path: str, data: bytes) -> Result[None, FileError]:
        """Replace the file atomically, making its directory if need be."""
        ...
