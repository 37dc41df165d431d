"""Recycled slots: as many worktrees as run at once, each used by one agent after the other.

A slot is entered into git's books once. Between two agents its tree and git's directory for it
are brought back to what they were: what is as it was recorded is left alone, and everything
else is removed or written again. The cost follows from what the last agent changed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Lock
from typing import Final

from attrs import define, field

from anabranch.environment import Oid, WorktreeFault
from anabranch.services.git.admin import entries
from anabranch.services.git.faults import Refused
from anabranch.services.git.files import turn_file
from anabranch.services.git.filling import Fill
from anabranch.services.git.grounds import Ground, Laid, Recorded
from anabranch.services.git.refs import Refs
from anabranch.services.git.registry import OURS, SPARE, Registry, release_branch
from anabranch.services.git.runner import GitError
from anabranch.services.git.scrubbing import AdminRecord
from anabranch.services.git.trees import Order, Tree

_NO_FAULT: Final = (GitError, OSError, Refused)


@define
class Slot:
    """A worktree that is used again and again.

    Attributes:
        tree: where it is.
        base: the commit that `ground` is at.
        ground: its files, as they were checked out.
        admin: git's directory for it as it was then.
    """

    tree: Tree
    base: Oid
    ground: Ground
    admin: AdminRecord


@define
class SlotTrees:
    """Slots, made when none is free.

    Attributes:
        registry: the worktrees of the run in git's books.
        refs: of the repository.
        fill: puts the files into a new slot.
    """

    registry: Registry
    refs: Refs
    fill: Fill
    _lock: Lock = field(factory=Lock, init=False, repr=False)
    _free: list[Slot] = field(factory=list[Slot], init=False, repr=False)
    _used: dict[str, Slot] = field(factory=dict[str, Slot], init=False, repr=False)
    _paths: set[str] = field(factory=set[str], init=False, repr=False)

    def make(self, order: Order) -> Tree:
        """Bring a free slot back to what it was, at the base; or make one."""
        self.registry.make_way(order.name)
        slot = self._recycled(order.base) or self._born(order)
        try:
            self._put_on_branch(slot, order)
            self.registry.welcome(order, slot.tree)
        except _NO_FAULT:
            self.registry.strike(slot.tree)
            raise
        self._used[slot.tree.path] = slot
        return slot.tree

    def touched(self, tree: Tree) -> frozenset[str] | None:
        """Known where finding out costs less than asking git."""
        slot = self._used.get(tree.path)
        return None if slot is None else slot.ground.touched(tree)

    def take_away(self, tree: Tree) -> None:
        """Let the next one have the slot, and leave the branch.

        In this order: who takes up what a killed process left must not find a tree under its
        name that no longer stands on its commits. Other locks of git that were left in it go with
        all else when it is taken again.
        """
        slot = self._used.pop(tree.path, None)
        if slot is None:
            self.registry.strike(tree)
            return
        release_branch(self.registry.repository.common, tree.admin)
        self.registry.keep_submodules(tree)
        try:
            self.registry.name(tree, SPARE + os.path.basename(tree.path))
            turn_file(os.path.join(tree.admin, "HEAD"), f"{slot.base}\n".encode())
        except FileNotFoundError:
            self.registry.strike(tree)
            return
        with self._lock:
            self._free.append(slot)

    def close(self) -> None:
        """Take the free slots away."""
        with self._lock:
            slots, self._free = self._free, []
        for slot in slots:
            with suppress(*_NO_FAULT):
                self.registry.strike(slot.tree)
        self.fill.close()

    def _recycled(self, base: Oid) -> Slot | None:
        """A free slot, clean and at the base. One that cannot be cleaned is given up."""
        while (slot := self._take(base)) is not None:
            with suppress(*_NO_FAULT):
                if self._clean(slot, base):
                    return slot
            with suppress(*_NO_FAULT):
                self.registry.strike(slot.tree)
        return None

    def _take(self, base: Oid) -> Slot | None:
        with self._lock:
            at_base = [slot for slot in self._free if slot.base == base]
            for slot in (at_base or self._free)[-1:]:
                self._free.remove(slot)
                return slot
            return None

    def _clean(self, slot: Slot, base: Oid) -> bool:
        """Bring a slot back to what it was, and then to a commit; whether that was possible."""
        git = self.registry.repository.trees.at(slot.tree.path)
        slot.admin.restore(slot.tree.admin)
        slot.ground.restore(git, slot.tree)
        self.registry.strike_inner(slot.tree)
        if slot.base != base and not slot.ground.moved(git, slot.tree, base):
            return False
        slot.base = base
        return True

    def _born(self, order: Order) -> Slot:
        path = self._free_path()
        nameless = Order(name=os.path.basename(path), base=order.base)
        tree = self.registry.enter(nameless, path)
        try:
            layers = self.fill.fill(tree, order)
            ground = Recorded.of(tree) if layers is None else Laid(layers)
            return Slot(tree, order.base, ground, AdminRecord.of(tree.admin))
        except (GitError, OSError):
            self.registry.strike(tree)
            raise

    def _free_path(self) -> str:
        with self._lock:
            number = 0
            while True:
                path = os.path.join(self.registry.directory, f"slot-{number}")
                if path not in self._paths and not os.path.lexists(path):
                    self._paths.add(path)
                    return path
                number += 1

    def _put_on_branch(self, slot: Slot, order: Order) -> None:
        head: str = order.base
        if order.branch is not None:
            self._point(f"refs/heads/{order.branch}", order)
            head = f"ref: refs/heads/{order.branch}"
        turn_file(os.path.join(slot.tree.admin, "HEAD"), f"{head}\n".encode())

    def _point(self, ref: str, order: Order) -> None:
        """Make the branch. One of ours that is there already is from an earlier attempt."""
        if self.refs.create(ref, order.base):
            return
        users = [e for e in entries(self.registry.repository.common) if e.branch == ref]
        if users or not ref.startswith(f"refs/heads/{OURS}"):
            raise Refused(WorktreeFault.EXISTS, f"branch {order.branch} exists already")
        self.refs.put(ref, order.base)
