"""Locks of git that outlived a killed process, at which every later git would stop.

A lock of git is a file that is there; nothing in it tells whose it is. Below a run's own branches
nobody else makes any, so what is there once the run's processes are gone belongs to nobody. One
that others share (the index of a checkout, packed refs, a branch) may be held by a git of the
user. It is taken to be abandoned if it was made while the run was under way, if nothing has
happened to it for a while, and if no git that could hold it lives here: what git itself asks
people to look into before they remove such a file by hand. What cannot be seen counts as alive.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from anabranch.services.git.admin import entries
from anabranch.services.git.registry import OURS
from anabranch.services.git.repository import GitRepository
from anabranch.services.processes.sweep import can_see

_SHARED: Final = ("index.lock", "HEAD.lock", "ORIG_HEAD.lock", "packed-refs.lock")
_QUICK: Final = frozenset({b"update-ref", b"cat-file", b"merge-tree", b"diff-tree"})
_WITH_VALUE: Final = frozenset(
    {
        b"-C",
        b"-c",
        b"--attr-source",
        b"--config-env",
        b"--git-dir",
        b"--namespace",
        b"--shallow-file",
        b"--super-prefix",
        b"--work-tree",
    }
)
"""The options of git itself whose value may be the next argument."""
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
        return quiet and can_see() and not _may_be_held(repository)
    return False


def _may_be_held(repository: GitRepository) -> bool:
    """Whether a process lives that may hold a lock of the repository for longer than a moment."""
    places = frozenset(map(os.path.realpath, _places(repository)))
    return any(_may_hold(process, places) for process in Path("/proc").glob("[0-9]*"))


def _places(repository: GitRepository) -> Iterator[str]:
    """The directories of the repository, and its working trees."""
    common = repository.common
    yield from (repository.home, repository.main or common, common)
    yield from (entry.path for entry in entries(common) if entry.path)


def _may_hold(process: Path, places: frozenset[str]) -> bool:
    """Whether a process is a git at work in these places, or may be one for all that can be read.

    The commands that a run asks again and again hold a lock only while they answer, if at all.
    """
    try:
        program, *arguments = (process / "cmdline").read_bytes().split(b"\0")
        is_git = os.path.basename(program).startswith(b"git")
        return is_git and _subcommand(arguments) not in _QUICK and _is_in(process, places)
    except (FileNotFoundError, ProcessLookupError):
        return False
    except OSError:
        return True


def _subcommand(arguments: Iterable[bytes]) -> bytes:
    """What git is asked to do: its first argument that is no option of git itself."""
    rest = iter(arguments)
    for argument in rest:
        if argument in _WITH_VALUE:
            next(rest, None)
        elif not argument.startswith(b"-"):
            return argument
    return b""


def _is_in(process: Path, places: frozenset[str]) -> bool:
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
