"""What a slot is brought back to between two agents, and what has become of it since."""

from __future__ import annotations

import time
from itertools import chain, islice
from typing import Final, Protocol

from attrs import define, frozen

from anabranch.environment import Oid
from anabranch.services.git.overlays import Layers
from anabranch.services.git.pristine import TICK_NS, Record, files_in
from anabranch.services.git.runner import Git
from anabranch.services.git.scrubbing import keep_index, restore_tree
from anabranch.services.git.threads import step_aside
from anabranch.services.git.trees import Tree

_FEW: Final = 500
_SOME: Final = 5_000


class Ground(Protocol):
    """The files of a slot. Its methods block, and are called by one thread at a time."""

    def restore(self, git: Git, tree: Tree) -> None:
        """Bring the tree back to what it was, as far as git's own files allow already."""
        ...

    def moved(self, git: Git, tree: Tree, base: Oid) -> bool:
        """Bring the restored tree to another commit; `False` if that is not worth its while."""
        ...

    def touched(self, tree: Tree) -> frozenset[str] | None:
        """All paths at which there is something else than at first; `None` if not known."""
        ...


@define
class Recorded:
    """Files that were written: what is not as it was recorded is removed or written again."""

    record: Record

    @classmethod
    def of(cls, tree: Tree) -> Recorded:
        """Record a tree that was filled a moment ago, when nothing in it is young any more."""
        time.sleep(2 * TICK_NS / 1e9)
        return cls(Record.of(tree.path))

    def restore(self, git: Git, tree: Tree) -> None:
        """Walk over all files."""
        if self.record.size > _FEW:
            step_aside()
        restore_tree(git, tree, self.record)

    def moved(self, git: Git, tree: Tree, base: Oid) -> bool:
        """Let git write what differs, and record the tree anew."""
        git.run("reset", "--hard", "--quiet", "--no-recurse-submodules", base)
        self.record = Record.of(tree.path)
        keep_index(tree.admin)
        return True

    def touched(self, tree: Tree) -> frozenset[str] | None:
        """Known where a look at every file costs less than asking git."""
        if self.record.size > _FEW:
            return None
        found = self.record.differences(tree.path)
        inside = islice(chain.from_iterable(files_in(tree.path, p) for p in found.extra), _FEW + 1)
        touched = frozenset((*found.damaged, *inside))
        return touched if len(touched) <= _FEW else None


@frozen
class Laid:
    """Files that are laid over a template: what was written lies apart, and is taken away."""

    layers: Layers

    def restore(self, git: Git, tree: Tree) -> None:
        """Take away what was added; mount the tree anew if anything else was done to it."""
        del git, tree
        if not self.layers.cleared():
            step_aside()
            self.layers.renew()

    def moved(self, git: Git, tree: Tree, base: Oid) -> bool:
        """No: the template stays where it is."""
        del git, tree, base
        return False

    def touched(self, tree: Tree) -> frozenset[str] | None:
        """Known from what was written."""
        del tree
        return self.layers.touched(_SOME)
