"""Worktrees entered into git's books and struck out again, in the name of one run."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from time import sleep, time_ns
from typing import Final

from attrs import define, field

from anabranch.environment import WorktreeFault
from anabranch.services.git.admin import Entry, Reason, admin_of, entries, entry_of, head_text
from anabranch.services.git.exclusion import alone
from anabranch.services.git.faults import Refused
from anabranch.services.git.files import replace_file, turn_file
from anabranch.services.git.overlays import is_laid, is_torn, layers_of, unmount
from anabranch.services.git.pristine import is_young
from anabranch.services.git.removal import TRASH, delete, mount_points_below, put_away
from anabranch.services.git.repository import GitRepository
from anabranch.services.git.room import Room
from anabranch.services.git.runner import GitError, GitOutput
from anabranch.services.git.submodules import keep_submodules
from anabranch.services.git.threads import step_aside
from anabranch.services.git.trees import Order, Tree
from anabranch.services.owners import Owner, this_process

OURS = "anabranch/"
"""What the names of all our branches begin with."""

SPARE = "."
"""What the names of trees begin with that nobody has, or that are not whole yet."""

_MET: Final = re.compile(
    rb"/commondir: |worktrees/[^/']+(/\w+' for writing)?'?: No such file or directory"
)
"""What git says when it met another one: in an entry that is half made, or took ours for a dead one."""

_TRIES = 40
_PAUSE_SECONDS = 0.05
_TAKEN = (b"already exists", b"already checked out", b"already used by worktree")


@define(kw_only=True)
class Registry:
    """The worktrees of one run.

    Attributes:
        repository: where they belong.
        run: the run's id.
    """

    repository: GitRepository
    run: str
    _owner: Owner = field(factory=this_process, init=False, repr=False)
    _left: dict[str, Tree] = field(init=False, repr=False)
    _room: Room = field(init=False, repr=False)
    _listed: dict[str, tuple[int, int]] = field(factory=dict[str, tuple[int, int]], init=False)

    def __attrs_post_init__(self) -> None:
        self._room = Room(self.repository.git, self.repository.place)
        self._left = {
            entry.reason.tree: Tree(
                path=path_of(self.repository, entry, entry.reason), admin=entry.admin
            )
            for entry in entries(self.repository.common)
            if entry.reason is not None and entry.reason.run == self.run
        }

    @property
    def directory(self) -> str:
        """Where the trees of the run are."""
        return os.path.join(self.repository.place, self.run)

    @property
    def trash(self) -> str:
        """Where trees go before they are deleted."""
        return os.path.join(self.repository.place, TRASH)

    def reason(self, name: str) -> str:
        """Why a tree of that name is locked."""
        return Reason(run=self.run, tree=name, owner=self._owner).to_text()

    def adopt(self, path: str) -> Tree | None:
        """The tree at a path, if it is locked in the name of this run.

        A process that made it before this one is dead, and so is whatever ran in it: locks of
        git that are still there will be released by nobody.
        """
        admin = admin_of(path)
        reason = None if admin is None else entry_of(admin).reason
        if admin is None or reason is None or reason.run != self.run:
            return None
        if self._left.pop(reason.tree, None) is not None:
            release_locks(self.repository.common, admin)
            self.name(Tree(path=path, admin=admin), reason.tree)
        return Tree(path=path, admin=admin)

    def take_up(self, name: str) -> Tree | None:
        """The whole tree that a dead process of this run left under a name, now ours."""
        tree = self._left.get(name)
        if tree is None or not os.path.isdir(tree.path) or is_torn(tree.path):
            return None
        del self._left[name]
        if admin_of(tree.path) != tree.admin:
            replace_file(os.path.join(tree.path, ".git"), os.fsencode(f"gitdir: {tree.admin}\n"))
        release_locks(self.repository.common, tree.admin)
        self.name(tree, name)
        return tree

    def make_way(self, name: str) -> None:
        """Put away what a dead process of this run left under a name."""
        for spare in ("", SPARE):
            left = self._left.pop(spare + name, None)
            if left is not None:
                self.strike(left)
        path = os.path.join(self.directory, name)
        if os.path.lexists(path):
            put_away(path, self.trash)

    def enter(self, order: Order, path: str) -> Tree:
        """Make a worktree without its files, which bears its name once `welcome` has been called."""
        self._room.require(order.base)
        os.makedirs(self.directory, exist_ok=True)
        added = self._add(order, path)
        for _ in range(0 if order.branch and not order.branch.startswith(OURS) else _TRIES):
            if not _MET.search(added.stderr):
                break
            sleep(_PAUSE_SECONDS)
            added = self._add(order, path)
        admin = admin_of(path)
        if added.code == 0 and admin is not None:
            return Tree(path=path, admin=admin)
        if any(text in added.stderr for text in _TAKEN):
            raise Refused(WorktreeFault.EXISTS, added.complaint.splitlines()[-1])
        raise GitError(added)

    def _add(self, order: Order, path: str) -> GitOutput:
        """Let git make it.

        It stops at a worktree that a git of somebody else is just making, and where `git worktree
        prune` takes away the entry that it has just begun.
        """
        head = self._head(order)
        with alone(self.repository.lock) as lock:
            return self.repository.trees.holding(lock).attempt(
                *("worktree", "add", "--no-checkout", "--lock"),
                *("--reason", self.reason(SPARE + order.name), *head, "--", path, order.base),
            )

    def strike(self, tree: Tree) -> None:
        """Rename the tree and git's directory for it out of the way, then delete both."""
        step_aside()
        mounted = mount_points_below(tree.path)
        if mounted:
            message = f"something is mounted inside the worktree: {mounted[0]}"
            raise Refused(WorktreeFault.LOCKED, message, hint=f"umount {mounted[0]}")
        if tree.admin:
            release_locks(self.repository.common, tree.admin)
            self.keep_submodules(tree)
        if is_laid(tree.path):
            unmount(tree.path)
        with alone(self.repository.lock):
            moved = (
                put_away(tree.path, self.trash),
                put_away(layers_of(tree.path), self.trash),
                put_away(tree.admin, os.path.join(self.repository.state, TRASH)),
            )
        for path in moved:
            if path is not None:
                delete(path)
        self.strike_inner(tree)
        self._listed.pop(tree.path, None)
        with suppress(OSError):
            os.rmdir(os.path.dirname(tree.admin))
        with suppress(OSError):
            os.rmdir(self.directory)
            os.rmdir(self.repository.place)

    def strike_inner(self, tree: Tree) -> None:
        """Strike out the worktrees that somebody made inside a tree, and that went with its files.

        All are looked at only if one has come or gone since this was last asked of the tree.
        """
        common = self.repository.common
        with suppress(FileNotFoundError):
            found = os.stat(os.path.join(common, "worktrees"))
            seen = found.st_ino, found.st_ctime_ns
            if self._listed.get(tree.path) == seen:
                return
            for entry in entries(common):
                if entry.path.startswith(f"{tree.path}/"):
                    self._forget(entry.admin)
            if not is_young(found.st_ctime_ns, time_ns()):
                self._listed[tree.path] = seen

    def _forget(self, admin: str) -> None:
        with alone(self.repository.lock):
            moved = put_away(admin, os.path.join(self.repository.state, TRASH))
        if moved is not None:
            delete(moved)

    def keep_submodules(self, tree: Tree) -> None:
        """Keep what was committed in the submodules of a tree that goes."""
        keep_submodules(self.repository.git, self.repository.common, tree.admin)

    def name(self, tree: Tree, name: str) -> None:
        """Lock a tree in the name of this process."""
        turn_file(os.path.join(tree.admin, "locked"), os.fsencode(self.reason(name)))

    def welcome(self, order: Order, tree: Tree) -> None:
        """Run the hook that git runs after a checkout into a new worktree; then it is whole."""
        if self.repository.has_hook("post-checkout"):
            null = "0" * len(order.base)
            ran = self.repository.trees.at(tree.path).attempt(
                *("hook", "run", "--ignore-missing", "post-checkout", "--", null, order.base, "1")
            )
            if ran.code != 0:
                message = f"the post-checkout hook failed: {ran.complaint}"
                hint = f"mend it: {os.path.join(self.repository.hooks, 'post-checkout')}"
                raise Refused(WorktreeFault.GIT, message, hint=hint)
        self.name(tree, order.name)

    def _head(self, order: Order) -> list[str]:
        if order.branch is None:
            return ["--detach"]
        return ["-B" if order.branch.startswith(OURS) else "-b", order.branch]


def path_of(repository: GitRepository, entry: Entry, reason: Reason) -> str:
    """Where a tree of ours is; a git that was killed may not have written it down yet."""
    return entry.path or os.path.join(repository.place, reason.run, reason.tree.removeprefix(SPARE))


def release_locks(common: str, admin: str) -> None:
    """Remove the lock files of git that a killed command left in a worktree, and of its branch."""
    release_branch(common, admin)
    for name in ("index.lock", "HEAD.lock"):
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(admin, name))


def release_branch(common: str, admin: str) -> None:
    """Remove the lock file of git that a killed command left for the branch of a worktree."""
    branch = head_text(admin).removeprefix("ref: ")
    if branch.startswith(f"refs/heads/{OURS}"):
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(common, f"{branch}.lock"))
