"""Names that outlast a loss of power: a new file's name is in its directory, not in the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def make_directory(directory: Path) -> None:
    """Make a directory and what is missing above it; their names are on the disk afterwards.

    Raises:
        OSError: it cannot be made, or there is something else in its place.
    """
    if directory.is_dir():
        return
    if not directory.parent.exists():
        make_directory(directory.parent)
    directory.mkdir(exist_ok=True)
    sync_directory(directory.parent)


def sync_directory(directory: Path, sync: Callable[[int], None] = os.fsync) -> None:
    """Make names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)
