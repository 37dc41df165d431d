"""Worktrees and merges that are names, and do what a script says where it says anything."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from typing import TypeAlias, TypeVar

from attrs import evolve, field, frozen
from returns.result import Failure, Result, Success

from anabranch.environment import (
    Advance,
    Changes,
    Conflict,
    Delivery,
    Merge,
    MergeError,
    MergeRequest,
    Oid,
    Trace,
    Worktree,
    WorktreeError,
    WorktreeFault,
    WorktreeRequest,
)
from anabranch.testing.mocks.clock import MockClock
from anabranch.testing.mocks.commands import Call
from anabranch.testing.mocks.scripts import Reader

Q = TypeVar("Q")
A = TypeVar("A")

WorktreeAnswer: TypeAlias = WorktreeError | None
"""An error, or `None` for a worktree as usual."""

MergeAnswer: TypeAlias = MergeError | None
"""An error, or `None` for a merge as usual."""


async def _answered(reader: Reader[Q, A | None], request: Q, clock: MockClock) -> A | None:
    """What the script says, after the time that it takes; `None` is as usual."""
    reply = reader.reply(request)
    if reply is None:
        return None
    await clock.wait(reply.seconds)
    return reply.answer


@frozen
class MockWorktrees:
    """Worktrees that are names. Each has one made-up commit since its base.

    Attributes:
        answers: to `create`, by the name of the worktree.
        calls: where to note what was asked.
        clock: counts the time that it takes.
        alive: the worktrees that were made and not removed, by name.
        branches: commits by branch.
    """

    answers: Reader[WorktreeRequest, WorktreeAnswer]
    calls: list[Call]
    clock: MockClock
    alive: dict[str, Worktree]
    branches: dict[str, Oid]

    async def create(self, request: WorktreeRequest) -> Result[Worktree, WorktreeError]:
        """Note the request; a name that is alive already is refused."""
        self.calls.append(("create", request))
        error = await _answered(self.answers, request, self.clock)
        if error is not None:
            return Failure(error)
        if request.name in self.alive:
            message = "there is one of that name"
            fault = WorktreeFault.EXISTS
            return Failure(WorktreeError(fault=fault, name=request.name, message=message))
        tree = self.alive[request.name] = _worktree(request, self.branches)
        return Success(tree)

    async def reopen(self, request: WorktreeRequest) -> Result[Worktree | None, WorktreeError]:
        """The tree of that name, if it was made and not removed."""
        self.calls.append(("reopen", request))
        return Success(self.alive.get(request.name))

    async def head(self, worktree: Worktree) -> Result[Oid, WorktreeError]:
        """The one commit."""
        self.calls.append(("head", worktree.name))
        return Success(made_up(worktree.name, worktree.base))

    async def committed(self, worktree: Worktree) -> Result[Changes, WorktreeError]:
        """One commit, which follows from the worktree's name and base."""
        return self._looked("committed", worktree)

    async def changes(self, worktree: Worktree) -> Result[Changes, WorktreeError]:
        """The one commit, and nothing besides."""
        return self._looked("changes", worktree)

    def _looked(self, method: str, worktree: Worktree) -> Result[Changes, WorktreeError]:
        self.calls.append((method, worktree.name))
        head = made_up(worktree.name, worktree.base)
        return Success(Changes(head=head, commits=(head,)))

    async def advance(self, worktree: Worktree, commit: Oid) -> Result[Advance, WorktreeError]:
        """The same tree on another base."""
        self.calls.append(("advance", worktree.name))
        return Success(Advance(worktree=evolve(worktree, base=commit)))

    async def remove(self, worktree: Worktree) -> Result[None, WorktreeError]:
        """Forget it."""
        self.calls.append(("remove", worktree.name))
        self.alive.pop(worktree.name, None)
        return Success(None)


def _worktree(request: WorktreeRequest, branches: dict[str, Oid]) -> Worktree:
    return Worktree(
        name=request.name,
        path=f"/mock/{request.name}",
        parent=request.parent,
        base=request.base or branches.get(request.parent) or made_up(request.parent),
        branch=request.branch,
    )


@frozen
class MockMerges:
    """Branches that are names of commits; merges succeed unless the test says otherwise.

    Attributes:
        answers: to `merge`, by the agent in the trailers, or else by the target.
        calls: where to note what was asked.
        clock: counts the time that it takes.
        branches: commits by branch.
        made: the merges that were made.
    """

    answers: Reader[MergeRequest, MergeAnswer]
    calls: list[Call]
    clock: MockClock
    branches: dict[str, Oid]
    made: list[tuple[MergeRequest, Trace]] = field(factory=list[tuple[MergeRequest, Trace]])
    _known: set[tuple[str, Oid]] = field(factory=set[tuple[str, Oid]], init=False, repr=False)

    async def start(self, branch: str, base: str = "HEAD") -> Result[Oid, MergeError]:
        """Make a branch, if it is not there."""
        self.calls.append(("start", branch))
        return Success(self.branches.setdefault(branch, made_up(base)))

    async def merge(self, request: MergeRequest) -> Result[Merge, MergeError]:
        """Move the branch to a commit that follows from both sides."""
        self.calls.append(("merge", request))
        error = await _answered(self.answers, request, self.clock)
        if error is not None:
            return Failure(error)
        return Success(self._made(request))

    def _made(self, request: MergeRequest) -> Merge:
        before = self.branches.get(request.target, request.base)
        if (request.target, request.source) in self._known:
            return Merge(target=request.target, before=before, commit=before)
        commit = made_up(before, request.source)
        self.branches[request.target] = commit
        if request.drops is not None:
            self._forget(request.drops)
        self._known.add((request.target, request.source))
        self.made.append((request, Trace(commit=commit, before=before, trailers=request.trailers)))
        dropped = request.drops is not None
        return Merge(target=request.target, before=before, commit=commit, dropped=dropped)

    async def lay_out(
        self, request: MergeRequest, worktree: Worktree
    ) -> Result[tuple[str, ...], MergeError]:
        """Note that it was asked for; nothing is laid out."""
        self.calls.append(("lay_out", (worktree.name, request.source)))
        return Success(())

    async def conclude(
        self, request: MergeRequest, worktree: Worktree, conflicts: Sequence[Conflict]
    ) -> Result[Merge, MergeError]:
        """Take what was made of the conflict for resolved."""
        self.calls.append(("conclude", (worktree.name, tuple(c.path for c in conflicts))))
        return Success(self._made(request))

    async def traces(self, branch: str, since: str) -> Result[tuple[Trace, ...], MergeError]:
        """Every merge into the branch that has trailers."""
        self.calls.append(("traces", (branch, since)))
        made = (trace for request, trace in self.made if request.target == branch)
        return Success(tuple(trace for trace in made if trace.trailers))

    async def drop(self, branch: str) -> Result[None, MergeError]:
        """Forget a branch."""
        self._forget(branch)
        return Success(None)

    def _forget(self, branch: str) -> None:
        self.calls.append(("drop", branch))
        self.branches.pop(branch, None)

    async def deliver(self, branch: str) -> Result[Delivery, MergeError]:
        """Deliver, always."""
        self.calls.append(("deliver", branch))
        return Success(Delivery(commit=self.branches[branch], delivered=True))


def made_up(*parts: str) -> Oid:
    """An id that follows from what made it."""
    return Oid(sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest())
