"""What a way of making working trees offers, and the plain way: `git worktree add`."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Protocol

from attrs import frozen

from anabranch.environment import Oid, WorktreeFault
from anabranch.services.git.admin import Reason, admin_of, entries, entry_of
from anabranch.services.git.exclusion import alone
from anabranch.services.git.faults import Refused
from anabranch.services.git.removal import TRASH, delete, mount_points_below, put_away
from anabranch.services.git.repository import GitRepository
from anabranch.services.git.runner import GitError
from anabranch.services.owners import this_process


@frozen(kw_only=True)
class Order:
    """A working tree to make: its name, the commit, and the branch to check out, if any."""

    name: str
    base: Oid
    branch: str | None = None


@frozen(kw_only=True)
class Tree:
    """A working tree that was made, and git's directory for it under `worktrees/`."""

    path: str
    admin: str


class Trees(Protocol):
    """A way of making working trees. Its methods block, and may be called from any thread."""

    def make(self, order: Order) -> Tree:
        """Make a tree, at its base and with nothing else in it."""
        ...

    def adopt(self, path: str) -> Tree | None:
        """The tree at a path, if this run made it, in an earlier process for instance."""
        ...

    def take_away(self, tree: Tree) -> None:
        """Take a tree away, whatever is in it."""
        ...


@frozen(kw_only=True)
class PlainTrees:
    """One `git worktree add` for each tree, and a deletion at its end."""

    repository: GitRepository
    run: str

    @property
    def reason(self) -> str:
        """Why the trees are locked."""
        return Reason(run=self.run, owner=this_process()).to_text()

    @property
    def directory(self) -> str:
        """Where the trees of the run are."""
        return os.path.join(self.repository.place, self.run)

    def make(self, order: Order) -> Tree:
        """Register under the lock; check out beside whoever else does."""
        path = os.path.join(self.directory, order.name)
        os.makedirs(self.directory, exist_ok=True)
        with alone(self.repository.lock):
            self._discard_leftover(path)
            self._register(order, path)
        admin = admin_of(path)
        if admin is None:
            raise Refused(WorktreeFault.GIT, f"git made no worktree at {path}")
        tree = Tree(path=path, admin=admin)
        try:
            self._check_out(order, path)
        except (GitError, OSError):
            self.take_away(tree)
            raise
        return tree

    def adopt(self, path: str) -> Tree | None:
        """The tree at a path, if it is locked in the name of this run."""
        admin = admin_of(path)
        reason = None if admin is None else entry_of(admin).reason
        if admin is None or reason is None or reason.run != self.run:
            return None
        return Tree(path=path, admin=admin)

    def take_away(self, tree: Tree) -> None:
        """Rename the tree and git's directory for it out of the way, then delete both."""
        mounted = mount_points_below(tree.path)
        if mounted:
            message = f"something is mounted inside the worktree: {mounted[0]}"
            raise Refused(WorktreeFault.LOCKED, message, hint=f"umount {mounted[0]}")
        with alone(self.repository.lock):
            gone = self._put_away(tree)
        for path in gone:
            delete(path)
        with suppress(OSError):
            os.rmdir(self.directory)
            os.rmdir(self.repository.place)

    def _put_away(self, tree: Tree) -> list[str]:
        moved = (
            put_away(tree.path, os.path.join(self.repository.place, TRASH)),
            put_away(tree.admin, os.path.join(self.repository.state, TRASH)),
        )
        with suppress(OSError):
            os.rmdir(os.path.dirname(tree.admin))
        return [path for path in moved if path is not None]

    def _discard_leftover(self, path: str) -> None:
        """A run belongs to one process at a time: what is here was left by a dead one."""
        if not os.path.lexists(path):
            return
        for entry in entries(self.repository.common):
            if entry.path == path:
                self._put_away(Tree(path=path, admin=entry.admin))
        put_away(path, os.path.join(self.repository.place, TRASH))

    def _register(self, order: Order, path: str) -> None:
        ours = order.branch is not None and order.branch.startswith("anabranch/")
        head = ["-B" if ours else "-b", order.branch] if order.branch else ["--detach"]
        added = self.repository.trees.attempt(
            *("worktree", "add", "--no-checkout", "--lock", "--reason", self.reason),
            *(*head, "--", path, order.base),
        )
        if added.code == 0:
            return
        taken = any(text in added.stderr for text in (b"already exists", b"already checked out"))
        if taken or b"already used by worktree" in added.stderr:
            raise Refused(WorktreeFault.EXISTS, added.complaint.splitlines()[-1])
        raise GitError(added)

    def _check_out(self, order: Order, path: str) -> None:
        git = self.repository.trees.at(path)
        git.run("reset", "--hard", "--quiet", "--no-recurse-submodules")
        if self.repository.has_hook("post-checkout"):
            null = "0" * len(order.base)
            git.attempt("hook", "run", "post-checkout", "--", null, order.base, "1")
