"""The `Worktrees` port over a git repository."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from attrs import evolve, field, frozen
from returns.result import Result, Success

from anabranch.environment import (
    Advance,
    Changes,
    Oid,
    Worktree,
    WorktreeError,
    WorktreeFault,
    WorktreeRequest,
)
from anabranch.services.git.advancing import advance
from anabranch.services.git.carrying import carry, remember, unchanged
from anabranch.services.git.changes import Observer
from anabranch.services.git.faults import Refused, worktree_result
from anabranch.services.git.places import is_safe_part
from anabranch.services.git.registry import Registry
from anabranch.services.git.runner import Git, GitError
from anabranch.services.git.threads import Lane, step_aside
from anabranch.services.git.trees import Order, Tree, Trees
from anabranch.services.git.untracked import Untracked

T = TypeVar("T")


@frozen(kw_only=True)
class GitWorktrees:
    """Worktrees of one run, each a real one: `git worktree list` knows it.

    Attributes:
        registry: the worktrees of the run in git's books.
        observer: looks at them.
        trees: the way in which they are made.
        untracked: says what there is to carry over.
        lane: where it is done.
        leaving: called with the path of a tree before it is taken away.
    """

    registry: Registry
    observer: Observer
    trees: Trees
    untracked: Untracked
    lane: Lane
    leaving: Callable[[str], Awaitable[None]] | None = None
    _alive: dict[str, Tree] = field(factory=dict[str, Tree], init=False, repr=False, eq=False)

    async def create(self, request: WorktreeRequest) -> Result[Worktree, WorktreeError]:
        """Make a working tree; what a dead process left under its name is put away first."""
        return await self._do(request.name, lambda: self._create(request))

    async def reopen(self, request: WorktreeRequest) -> Result[Worktree | None, WorktreeError]:
        """The working tree that an earlier process of this run made, if it is still there."""
        return await self._do(request.name, lambda: self._reopen(request))

    async def head(self, worktree: Worktree) -> Result[Oid, WorktreeError]:
        """The commit that a tree stands on now."""
        head = self._head_in_sight(worktree)
        if head is not None:
            return Success(head)
        return await self._do(worktree.name, lambda: self.observer.head(self._own(worktree)))

    async def committed(self, worktree: Worktree) -> Result[Changes, WorktreeError]:
        """What was committed since the worktree's base."""
        head = self._head_in_sight(worktree)
        known = None if head is None else self.observer.known(worktree.base, head)
        if known is not None:
            return Success(known)
        return await self._do(worktree.name, lambda: self._committed(worktree, head))

    async def changes(self, worktree: Worktree) -> Result[Changes, WorktreeError]:
        """What changed since the worktree's base."""
        return await self._do(worktree.name, lambda: self._changes(worktree))

    async def advance(self, worktree: Worktree, commit: Oid) -> Result[Advance, WorktreeError]:
        """Bring a tree forward to a later commit; nothing in it is lost."""
        git = self._git.at(worktree.path)
        return await self._do(worktree.name, lambda: advance(git, worktree, commit))

    async def remove(self, worktree: Worktree) -> Result[None, WorktreeError]:
        """Take the tree away. Its branch, if it has one, stays. Twice is once.

        What was committed on a detached `HEAD` or on another branch is on the branch then, too.
        """
        if self.leaving is not None:
            await self.leaving(worktree.path)
        return await self._do(worktree.name, lambda: self._remove(worktree))

    async def _do(self, name: str, operation: Callable[[], T]) -> Result[T, WorktreeError]:
        return await self.lane.run(lambda: worktree_result(name, operation))

    @property
    def _git(self) -> Git:
        return self.registry.repository.trees

    def _create(self, request: WorktreeRequest) -> Worktree:
        if not is_safe_part(request.name):
            raise Refused(
                WorktreeFault.UNSUPPORTED,
                "not a name for a worktree",
                hint="use letters, digits and `-`, at most 100 of them",
            )
        if request.name in self._alive:
            raise Refused(WorktreeFault.EXISTS, "there is one of that name")
        base = request.base or self._commit_of(request.parent)
        tree = self.trees.make(Order(name=request.name, base=base, branch=request.branch))
        if request.carry is not None:
            try:
                self._carry(request.carry, tree)
            except (GitError, OSError, Refused):
                self.trees.take_away(tree)
                raise
        self._alive[request.name] = tree
        return Worktree(
            name=request.name,
            path=tree.path,
            parent=request.parent,
            base=base,
            branch=request.branch,
        )

    def _carry(self, source: str, tree: Tree) -> None:
        untracked = self.untracked.of(source)
        if untracked:
            step_aside()
            remember(tree.admin, tree.path, carry(untracked, source, tree.path))

    def _reopen(self, request: WorktreeRequest) -> Worktree | None:
        tree = self.registry.take_up(request.name)
        if tree is None:
            return None
        self._alive[request.name] = tree
        return Worktree(
            name=request.name,
            path=tree.path,
            parent=request.parent,
            base=request.base or self._commit_of(request.parent),
            branch=request.branch,
        )

    def _commit_of(self, parent: str) -> Oid:
        commit = self.observer.refs.commit_at(f"refs/heads/{parent}")
        if commit is None:
            raise Refused(WorktreeFault.UNKNOWN_PARENT, f"no such branch: {parent}")
        return commit

    def _head_in_sight(self, worktree: Worktree) -> Oid | None:
        """The commit that a tree stands on, if that takes no more than to read two small files.

        A thread would take longer to be woken up.
        """
        tree = self._alive.get(worktree.name)
        if tree is None or tree.path != worktree.path:
            return None
        return self.observer.head_in_sight(tree)

    def _committed(self, worktree: Worktree, head: Oid | None) -> Changes:
        seen = head or self.observer.head(self._own(worktree))
        return self.observer.committed(worktree.base, seen)

    def _changes(self, worktree: Worktree) -> Changes:
        step_aside()
        tree = self._own(worktree)
        carried = unchanged(tree.admin, tree.path)
        touched = self.trees.touched(tree)
        known = None if touched is None else touched - carried
        found = self.observer.changes(tree, worktree.base, known)
        return evolve(
            found,
            dirty=tuple(path for path in found.dirty if path not in carried),
            uncommitted={p: s for p, s in found.uncommitted.items() if p not in carried},
        )

    def _remove(self, worktree: Worktree) -> None:
        tree = self._tree(worktree)
        if tree is not None:
            if worktree.branch is not None:
                with suppress(GitError, Refused):
                    self.observer.hold(tree, worktree.branch, worktree.base)
            self.trees.take_away(tree)
            self._alive.pop(worktree.name, None)
        elif os.path.lexists(worktree.path):
            raise Refused(WorktreeFault.NOT_OURS, f"no worktree of this run: {worktree.path}")

    def _own(self, worktree: Worktree) -> Tree:
        tree = self._tree(worktree)
        if tree is None:
            raise Refused(WorktreeFault.NOT_OURS, f"no worktree of this run at {worktree.path}")
        return tree

    def _tree(self, worktree: Worktree) -> Tree | None:
        """The tree behind a worktree, also if an earlier process of this run made it."""
        known = self._alive.get(worktree.name)
        if known is not None and known.path == worktree.path:
            return known
        adopted = self.registry.adopt(worktree.path)
        if adopted is not None:
            self._alive[worktree.name] = adopted
        return adopted
