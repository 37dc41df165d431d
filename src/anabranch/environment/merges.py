"""Merges and the delivery of their result: requests, answers, and the port."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from attrs import frozen
from returns.result import Result

from anabranch.environment.worktrees import Oid, Worktree


@frozen(kw_only=True)
class MergeRequest:
    """Bring commits into a branch that nobody has checked out.

    Attributes:
        target: the branch that moves, by compare-and-swap.
        source: the commit to merge.
        base: where the work began; needed for a linear history.
        message: the subject and body of the merge commit.
        trailers: pairs added to the message, such as `("Anabranch-Agent", "agent-0")`.
        linear: replay the commits on the target instead of making a merge commit.
        fast_forward: if the target has not moved since `base`, let it move to the source.
        drops: a branch that is deleted in the same step, if it is at `source` and nobody has it
            checked out.
    """

    target: str
    source: Oid
    base: Oid
    message: str
    trailers: tuple[tuple[str, str], ...] = ()
    linear: bool = False
    fast_forward: bool = False
    drops: str | None = None


@frozen(kw_only=True)
class Merge:
    """A merge that is done.

    Attributes:
        target: the branch that moved.
        before: where it was.
        commit: where it is; `before` when there was nothing new to merge.
        dropped: whether the branch was deleted that the request drops; never without a move.
    """

    target: str
    before: Oid
    commit: Oid
    dropped: bool = False


@frozen(kw_only=True)
class Trace:
    """A commit on a branch of ours, and the trailers by which it is known again."""

    commit: Oid
    before: Oid
    trailers: tuple[tuple[str, str], ...]


@frozen(kw_only=True)
class Conflict:
    """One file that both sides changed. A side that is `None` deleted it."""

    path: str
    kind: str = "content"
    ours: bytes | None = None
    theirs: bytes | None = None


class MergeFault(StrEnum):
    """Why a merge failed."""

    CONFLICT = "conflict"
    MOVED = "moved"
    CHECKED_OUT = "checked_out"
    UNKNOWN_REVISION = "unknown_revision"
    UNRELATED = "unrelated"
    GIT = "git"


@frozen(kw_only=True)
class MergeError:
    """A merge that did not happen; nothing has moved."""

    fault: MergeFault
    message: str
    conflicts: tuple[Conflict, ...] = ()
    hint: str | None = None

    def __str__(self) -> str:
        """The message, then one line for each conflicting file."""
        return "\n".join([self.message, *(f"  {c.kind}: {c.path}" for c in self.conflicts)])


@frozen(kw_only=True)
class Delivery:
    """How the result reached the user.

    Attributes:
        branch: the run's branch, which holds the result; `None` once it is no longer needed.
        commit: the result.
        delivered: whether the user's branch and checkout now hold it.
        reason: why not, if not.
        hint: what to type to take it.
    """

    commit: Oid
    delivered: bool
    branch: str | None = None
    reason: str | None = None
    hint: str | None = None


class Merges(Protocol):
    """Branches that nobody has checked out, and the one step that touches the user's checkout."""

    async def start(self, branch: str, base: str = "HEAD") -> Result[Oid, MergeError]:
        """Make a branch at a revision; if it is there already, its commit is the answer."""
        ...

    async def merge(self, request: MergeRequest) -> Result[Merge, MergeError]:
        """Merge in memory, then move the target. All or nothing."""
        ...

    async def lay_out(
        self, request: MergeRequest, worktree: Worktree
    ) -> Result[tuple[str, ...], MergeError]:
        """Merge in a worktree that is at the target, and leave the conflicts in its files.

        Returns:
            The conflicting paths.
        """
        ...

    async def conclude(
        self, request: MergeRequest, worktree: Worktree, conflicts: Sequence[Conflict]
    ) -> Result[Merge, MergeError]:
        """Make what somebody left in the worktree the merge, and move the target to it.

        What they did not commit is taken as it lies there. It fails as a conflict if a file has
        markers that were in none of the sides, or is as the merge had left it.

        Args:
            request: as it was laid out.
            worktree: where.
            conflicts: as the merge had told them.
        """
        ...

    async def traces(self, branch: str, since: str) -> Result[tuple[Trace, ...], MergeError]:
        """The commits with trailers that a branch went through since a revision, oldest first.

        Commits that only came with a merge are not among them: a trace is what moved the branch.
        """
        ...

    async def drop(self, branch: str) -> Result[None, MergeError]:
        """Delete a branch of ours. Twice is once."""
        ...

    async def deliver(self, branch: str) -> Result[Delivery, MergeError]:
        """Bring the user's checkout forward to the branch, all at once or not at all."""
        ...
