"""What a way of making working trees offers to the port."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

from anabranch.environment import Oid


@frozen(kw_only=True)
class Order:
    """A working tree to make: for whom, at which commit, and on which branch, if on any."""

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

    def touched(self, tree: Tree) -> frozenset[str] | None:
        """All paths at which there is something else than at the base; `None` if not known."""
        ...

    def take_away(self, tree: Tree) -> None:
        """Take a tree away, whatever is in it."""
        ...

    def close(self) -> None:
        """Take away what is kept for later use."""
        ...
