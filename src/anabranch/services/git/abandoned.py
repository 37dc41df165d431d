"""Locks of git that outlived a killed process, at which every later git would stop.

A lock of git is a file that is there; nothing in it tells whose it is. Below a run's own branches
nobody else makes any, so what is there once the run's processes are gone belongs to nobody. One
that others share (the index of a checkout, packed refs, a branch) may be held by a git of the
user. It is taken to be abandoned if it was made while the run was under way, if nothing has
happened to it for a while, and if no git that could hold it lives here: what git itself asks
people to look into before they remove such a file by hand.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from anabranch.services.git.admin import entries
from anabranch.services.git.registry import OURS
from anabranch.services.git.repository import GitRepository

_SHARED: Final = ("index.lock", "HEAD.lock", "ORIG_HEAD.lock", "packed-refs.lock")
_QUICK: Final = frozenset({b"update-ref", b"cat-file", b"merge-tree", b"diff-tree"})
_QUIET: Final = timedelta(seconds=1)
_PATIENCE: Final = timedelta(seconds=5)
_POLL_SECONDS: Final = 0.05


def release_abandoned(
    repository: GitRepository, run: str, since: datetime, *, patience: timedelta = _PATIENCE
) -> tuple[str, ...]:
    """Remove the locks of git that dead processes of a run left behind.

    Args:
        repository: where.
        run: the run, which nobody else works on, and of which no process lives.
        since: when it was begun.
        patience: how long to wait for a shared lock to go, or to be known for abandoned.

    Returns:
        The paths of those that were removed, in order.
    """
    own = [path for path in _own(repository, run) if _removed(path)]
    until = time.monotonic() + patience.total_seconds()
    shared: list[Path] = []
    while left := [path for path in _shared(repository) if _is_of(path, since)]:
        shared += [path for path in left if _is_abandoned(repository, path) and _removed(path)]
        if time.monotonic() >= until:
            break
        time.sleep(_POLL_SECONDS)
    return tuple(sorted(map(str, (*own, *shared))))


def _own(repository: GitRepository, run: str) -> list[Path]:
    return list(Path(repository.common, "refs/heads", OURS, run).rglob("*.lock"))


def _shared(repository: GitRepository) -> Iterator[Path]:
    """The locks that delivering and dropping a branch take."""
    users = (entry.admin for entry in entries(repository.common) if entry.reason is None)
    places = [Path(repository.common), *map(Path, users)]
    yield from filter(Path.exists, (place / name for place in places for name in _SHARED))
    heads = Path(repository.common, "refs/heads")
    for path in heads.rglob("*.lock"):
        if not path.is_relative_to(heads / OURS):
            yield path


def _is_of(path: Path, since: datetime) -> bool:
    """Whether a lock was made since then."""
    with suppress(OSError):
        return path.stat().st_mtime >= since.timestamp()
    return False


def _is_abandoned(repository: GitRepository, path: Path) -> bool:
    with suppress(OSError):
        quiet = time.time() - path.stat().st_mtime >= _QUIET.total_seconds()
        return quiet and not any(_gits(repository))
    return False


def _gits(repository: GitRepository) -> Iterator[int]:
    """The processes that may hold a lock of the repository for longer than a moment.

    Those that a run asks again and again hold a lock only while they answer, if at all.
    """
    places = {os.path.dirname(repository.common), repository.common}
    places |= {entry.path for entry in entries(repository.common)}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            is_git = os.path.basename(arguments[0]).startswith(b"git")
            if is_git and _QUICK.isdisjoint(arguments) and _is_in(process, places):
                yield int(process.name)


def _is_in(process: Path, places: set[str]) -> bool:
    """Whether a process works in one of these directories, or may do so from elsewhere."""
    where = Path(os.readlink(process / "cwd"))
    if not places.isdisjoint(map(str, (where, *where.parents))):
        return True
    told = b"\0" + (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
    return b"\0GIT_DIR=" in told or b"\0--git-dir" in told


def _removed(path: Path) -> bool:
    with suppress(FileNotFoundError):
        path.unlink()
        return True
    return False
