"""A worktree for each agent, made anew and deleted at its end."""

from __future__ import annotations

import os

from attrs import frozen

from anabranch.services.git.faults import Refused
from anabranch.services.git.filling import Fill
from anabranch.services.git.registry import Registry
from anabranch.services.git.runner import GitError
from anabranch.services.git.trees import Order, Tree


@frozen
class PlainTrees:
    """It works wherever git does. Files are written outside the lock, beside other trees."""

    registry: Registry
    fill: Fill

    def make(self, order: Order) -> Tree:
        """Make a tree, at its base and with nothing else in it."""
        self.registry.make_way(order.name)
        path = os.path.join(self.registry.directory, order.name)
        tree = self.registry.enter(order, path)
        try:
            self.fill.fill(tree, order)
            self.registry.welcome(order, tree)
        except (GitError, OSError, Refused):
            self.registry.strike(tree)
            raise
        return tree

    def touched(self, tree: Tree) -> None:
        """Not known."""

    def take_away(self, tree: Tree) -> None:
        """Take a tree away, whatever is in it."""
        self.registry.strike(tree)

    def close(self) -> None:
        """Take away what filling keeps."""
        self.fill.close()
