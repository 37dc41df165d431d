"""Working trees: requests, what happened in them, and the port."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NewType, Protocol

from attrs import field, frozen
from returns.result import Result

Oid = NewType("Oid", str)
"""A full object id of git, in hexadecimal."""


@frozen(kw_only=True)
class WorktreeRequest:
    """A worktree to make.

    Attributes:
        name: unique among those alive in one run, such as `agent-0`.
        parent: the branch that the work leaves and will rejoin.
        base: the commit to check out; `None` is the parent's commit at that moment.
        branch: a branch to make at `base` and check out; `None` is a detached HEAD.
        carry: a directory whose untracked, not ignored files are copied into the new tree.
    """

    name: str
    parent: str
    base: Oid | None = None
    branch: str | None = None
    carry: str | None = None


@frozen(kw_only=True)
class Worktree:
    """A working tree of its own. `path` is absolute; `base` is what was checked out."""

    name: str
    path: str
    parent: str
    base: Oid
    branch: str | None = None


@frozen(kw_only=True)
class Changes:
    """What happened in a worktree since its base: git state of a step (row G4).

    Attributes:
        head: the commit the tree stands on now.
        commits: what was committed since the base, oldest first.
        added, modified, deleted: paths with `/`, sorted, from base to head.
        renamed: pairs of old and new path.
        dirty: paths with changes that were not committed.
        uncommitted: for each of them, `A` (not in head), `M` or `D` (not in the tree), then a
            stamp that is another one once the file has changed again.
    """

    head: Oid
    commits: tuple[Oid, ...] = ()
    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    insertions: int = 0
    deletions: int = 0
    dirty: tuple[str, ...] = ()
    uncommitted: Mapping[str, str] = field(factory=dict[str, str], eq=False)


@frozen(kw_only=True)
class Advance:
    """A worktree that was brought forward.

    Attributes:
        worktree: the same tree, whose base is now the commit asked for.
        saved: pairs of a path that was in the way and the path, beside it, that holds it now.
    """

    worktree: Worktree
    saved: tuple[tuple[str, str], ...] = ()


class WorktreeFault(StrEnum):
    """Why a worktree operation failed."""

    EXISTS = "exists"
    UNKNOWN_PARENT = "unknown_parent"
    NO_SPACE = "no_space"
    LOCKED = "locked"
    DIVERGED = "diverged"
    NOT_OURS = "not_ours"
    UNSUPPORTED = "unsupported"
    GIT = "git"


@frozen(kw_only=True)
class WorktreeError:
    """A worktree operation that failed in a known way."""

    fault: WorktreeFault
    name: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        """One line for people."""
        return f"worktree {self.name}: {self.message}"


class Worktrees(Protocol):
    """Working trees: made, looked at, and taken away again."""

    async def create(self, request: WorktreeRequest) -> Result[Worktree, WorktreeError]:
        """Make a working tree."""
        ...

    async def reopen(self, request: WorktreeRequest) -> Result[Worktree | None, WorktreeError]:
        """The working tree that an earlier process of this run made on the same request.

        It is as that process left it, and belongs to this one from now on. Locks that a killed
        git left in it are gone. Without a `base`, its base is the parent's commit at this moment.

        Returns:
            `None` if there is no such tree any more.
        """
        ...

    async def head(self, worktree: Worktree) -> Result[Oid, WorktreeError]:
        """The commit that a tree stands on now; much cheaper than `changes`."""
        ...

    async def committed(self, worktree: Worktree) -> Result[Changes, WorktreeError]:
        """What was committed since the worktree's base; cheaper than `changes`.

        Nobody looks at the files: `dirty` and `uncommitted` are empty.
        """
        ...

    async def changes(self, worktree: Worktree) -> Result[Changes, WorktreeError]:
        """What changed since the worktree's base, committed or not."""
        ...

    async def advance(self, worktree: Worktree, commit: Oid) -> Result[Advance, WorktreeError]:
        """Bring a tree forward to a later commit.

        Nothing in the tree is lost: what was changed and is not touched by the way to `commit`
        stays; an untracked or changed file that differs from what lands there is saved beside.
        A tree with commits that `commit` does not hold is left alone, which is a failure.
        """
        ...

    async def remove(self, worktree: Worktree) -> Result[None, WorktreeError]:
        """Take the tree away. Its branch, if it has one, stays. Twice is once."""
        ...
