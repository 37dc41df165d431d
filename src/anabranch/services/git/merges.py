"""The `Merges` port over a git repository."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from attrs import evolve, frozen
from returns.result import Result

from anabranch.environment import (
    Conflict,
    Delivery,
    Merge,
    MergeError,
    MergeFault,
    MergeRequest,
    Oid,
    Trace,
    Worktree,
)
from anabranch.services.git.delivery import Courier
from anabranch.services.git.faults import Unmerged, merge_result
from anabranch.services.git.heads import Heads
from anabranch.services.git.merging import Merger, unknown
from anabranch.services.git.repository import GitRepository
from anabranch.services.git.resolving import Resolver
from anabranch.services.git.threads import Lane
from anabranch.services.git.traces import traces


@frozen(kw_only=True)
class GitMerges:
    """Branches of one run that nobody has checked out.

    Attributes:
        repository: where they are.
        merger: does the work.
        heads: says who has a branch checked out.
        origin: the file in which the run remembers where the user was.
        lane: where it is done.
    """

    repository: GitRepository
    merger: Merger
    origin: str
    heads: Heads
    lane: Lane

    async def start(self, branch: str, base: str = "HEAD") -> Result[Oid, MergeError]:
        """Make a branch at a revision; if it is there already, its commit is the answer."""
        return await self.lane.run(lambda: merge_result(lambda: self._start(branch, base)))

    async def merge(self, request: MergeRequest) -> Result[Merge, MergeError]:
        """Merge in memory, then move the target. All or nothing."""
        return await self.lane.run(lambda: merge_result(lambda: self._merge(request)))

    async def lay_out(
        self, request: MergeRequest, worktree: Worktree
    ) -> Result[tuple[str, ...], MergeError]:
        """Merge in a worktree, and leave the conflicts there; their paths."""
        resolver = self._resolver()
        return await self.lane.run(
            lambda: merge_result(lambda: resolver.lay_out(request, worktree))
        )

    async def conclude(
        self, request: MergeRequest, worktree: Worktree, conflicts: Sequence[Conflict]
    ) -> Result[Merge, MergeError]:
        """Make what was left in the worktree the merge, if every conflict was resolved."""
        return await self.lane.run(
            lambda: merge_result(lambda: self._conclude(request, worktree, conflicts))
        )

    async def traces(self, branch: str, since: str) -> Result[tuple[Trace, ...], MergeError]:
        """The commits with trailers that a branch went through since a revision, oldest first."""
        git = self.repository.git
        return await self.lane.run(lambda: merge_result(lambda: tuple(traces(git, branch, since))))

    async def drop(self, branch: str) -> Result[None, MergeError]:
        """Delete a branch of ours. Twice is once."""
        return await self.lane.run(lambda: merge_result(lambda: self._drop(branch)))

    async def deliver(self, branch: str) -> Result[Delivery, MergeError]:
        """Bring the user's checkout forward to the branch, all at once or not at all."""
        return await self.lane.run(lambda: merge_result(lambda: self._courier().deliver(branch)))

    def _resolver(self) -> Resolver:
        return Resolver(git=self.repository.trees, merger=self.merger)

    def _courier(self) -> Courier:
        return Courier(repository=self.repository, merger=self.merger, origin=self.origin)

    def _start(self, branch: str, base: str) -> Oid:
        self._courier().remember()
        ref, refs = f"refs/heads/{branch}", self.merger.refs
        there = refs.commit_at(ref)
        if there is not None:
            return there
        commit = refs.commit_at(base)
        if commit is None:
            raise unknown(base)
        return commit if refs.create(ref, commit) else self._start(branch, base)

    def _merge(self, request: MergeRequest) -> Merge:
        held = self.heads.holders(request.target, request.drops or "")
        _refuse_if_held(request.target, held)
        return self.merger.merge(_dropping_unheld(request, held))

    def _conclude(
        self, request: MergeRequest, worktree: Worktree, conflicts: Sequence[Conflict]
    ) -> Merge:
        held = self.heads.holders(request.drops or "")
        return self._resolver().conclude(_dropping_unheld(request, held), worktree, conflicts)

    def _drop(self, branch: str) -> None:
        _refuse_if_held(branch, self.heads.holders(branch))
        if not self.merger.refs.delete(f"refs/heads/{branch}"):
            raise Unmerged(MergeFault.MOVED, f"branch {branch} moved at this moment")


def _dropping_unheld(request: MergeRequest, held: Mapping[str, str]) -> MergeRequest:
    return evolve(request, drops=None) if request.drops in held else request


def _refuse_if_held(branch: str, held: Mapping[str, str]) -> None:
    if branch in held:
        path = held[branch]
        message = f"branch {branch} is checked out in {path}"
        hint = f"git -C {shlex.quote(path)} switch --detach"
        raise Unmerged(MergeFault.CHECKED_OUT, message, hint=hint)
