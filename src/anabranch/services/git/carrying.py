"""Untracked files of one worktree, carried over to another.

Agents find what the setup phase left in the run's worktree without committing it. What was
carried is remembered beside git's own files of the tree, so that it counts as a change only
once somebody has changed it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def carry(untracked: Iterable[str], source: str, target: str) -> tuple[str, ...]:
    """Copy untracked files of one working tree into another.

    What the target already has is left as it is, and git repositories inside the source stay
    there.

    Returns:
        The paths that were copied.
    """
    return tuple(path for path in untracked if _copy(source, target, path))


def _copy(source: str, target: str, path: str) -> bool:
    to = os.path.join(target, path)
    if path.endswith("/") or os.path.lexists(to):
        return False
    try:
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copy2(os.path.join(source, path), to, follow_symlinks=False)
    except (FileExistsError, NotADirectoryError, FileNotFoundError, shutil.SpecialFileError):
        return False
    return True


def remember(admin: str, tree: str, carried: tuple[str, ...]) -> None:
    """Note what was carried into a tree, as it was then."""
    if carried:
        lines = (_line(tree, path) for path in carried)
        Path(_note(admin)).write_bytes(b"".join(lines))


def unchanged(admin: str, tree: str) -> frozenset[str]:
    """The carried paths that are still as they were carried."""
    with suppress(OSError):
        notes = Path(_note(admin)).read_bytes().split(b"\0")[:-1]
        found = (os.fsdecode(note.partition(b"\t")[2]) for note in notes)
        kept = set(notes)
        return frozenset(path for path in found if _line(tree, path)[:-1] in kept)
    return frozenset()


def _note(admin: str) -> str:
    return os.path.join(admin, "anabranch-carried")


def _line(tree: str, path: str) -> bytes:
    return stamp(tree, path).encode() + b"\t" + os.fsencode(path) + b"\0"


def stamp(tree: str, path: str) -> str:
    """What a change of a file's content does not leave as it was; empty if there is none."""
    try:
        found = os.lstat(os.path.join(tree, path))
    except OSError:
        return ""
    return f"{found.st_mode}/{found.st_size}/{found.st_mtime_ns}/{found.st_ctime_ns}"
