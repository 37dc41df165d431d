"""Whether there is room for one more worktree, and for how many, asked before any is made."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import define, field

from anabranch.environment import Oid, WorktreeFault
from anabranch.services.git.faults import NO_SPACE, Refused
from anabranch.services.git.repository import GitRepository
from anabranch.services.git.runner import Git
from anabranch.values import HostError

_BLOCK: Final = 4096
_MIB: Final = 1 << 20

BUDGET: Final = "anabranch.worktreeBudget"
"""The setting of git that says how many bytes the worktrees of a repository may take."""


@define
class Room:
    """The file system that worktrees are on.

    Attributes:
        git: runs in the repository.
        place: where they are, or will be.
    """

    git: Git
    place: str
    _needs: dict[Oid, tuple[int, int]] = field(
        factory=dict[Oid, tuple[int, int]], init=False, repr=False
    )

    def require(self, base: Oid) -> None:
        """Refuse a worktree at a commit that would not fit."""
        size, files = self.needs(base)
        there = next(path for path in (self.place, *_above(self.place)) if os.path.isdir(path))
        found = os.statvfs(there)
        free = found.f_bavail * found.f_frsize
        if free < size:
            short = f"it needs {size / _MIB:.1f} MiB, and {free / _MIB:.1f} MiB are free"
            raise Refused(WorktreeFault.NO_SPACE, f"{short} in {there}", NO_SPACE)
        if found.f_files and found.f_favail < files:
            short = f"it has {files} files, and there is room for {found.f_favail}"
            raise Refused(WorktreeFault.NO_SPACE, f"{short} in {there}", NO_SPACE)

    def needs(self, base: Oid) -> tuple[int, int]:
        """Bytes and files of a tree; nothing is known where objects would have to be fetched."""
        if base not in self._needs:
            self._needs[base] = 0, 0
            if not self.git.attempt("config", "--get", "extensions.partialClone").text:
                listed = self.git.run("ls-tree", "-r", "-z", "-l", "--full-tree", base).stdout
                sizes = [int(size) for size in _sizes(listed) if size.isdigit()]
                blocks = sum(-(-size // _BLOCK) for size in sizes)
                self._needs[base] = blocks * _BLOCK, len(sizes)
        return self._needs[base]


def worktrees_within_budget(repository: GitRepository, run: str, base: str) -> int | None:
    """How many worktrees the user's budget allows a run; `None` if there is no budget.

    Args:
        repository: where.
        run: the run; what is left of an earlier process of it makes way.
        base: the commit that they are at.

    Raises:
        HostError: the setting is no number of bytes.
    """
    told = repository.git.attempt("config", "--type=int", "--get", BUDGET)
    if told.code == 1:
        return None
    if told.code != 0:
        hint = f"such as `git config {BUDGET} 20g`"
        raise HostError.of("bad-budget", f"`{BUDGET}` is no number of bytes", hint=hint)
    size, _ = Room(repository.git, repository.place).needs(Oid(base))
    used = bytes_below(repository.place) - bytes_below(os.path.join(repository.place, run))
    return max(0, int(told.text) - used) // size if size else None


def bytes_below(path: str) -> int:
    """Bytes on disk in a directory, files with several names counted for each."""
    total = 0
    for above, _, files in os.walk(path):
        for name in files:
            with suppress(OSError):
                total += os.lstat(os.path.join(above, name)).st_blocks * 512
    return total


def _above(path: str) -> list[str]:
    return list(map(str, Path(path).parents))


def _sizes(listed: bytes) -> list[bytes]:
    return [record.split(b"\t", 1)[0].split()[3] for record in listed.split(b"\0")[:-1]]
