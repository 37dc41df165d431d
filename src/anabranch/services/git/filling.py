"""Ways to put the files of a commit into a worktree that has none yet."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path
from threading import Lock
from typing import Final, Protocol

from attrs import define, field, frozen

from anabranch.environment import Oid
from anabranch.services.git.files import read_file, replace_file
from anabranch.services.git.index_file import restamped
from anabranch.services.git.overlays import Layers, carries, overlay_problem
from anabranch.services.git.registry import SPARE, Registry
from anabranch.services.git.runner import Git
from anabranch.services.git.trees import Order, Tree

_TEMPLATE: Final = "template"
_CHUNK: Final = 1 << 30

MANY: Final = 1_000
"""A tree with so many files is laid over a template rather than copied from it."""


class Fill(Protocol):
    """A way to fill trees. Its methods block, and may be called from any thread."""

    def fill(self, tree: Tree, order: Order) -> Layers | None:
        """Put the files of its base, and git's index of them, into a tree that is at it.

        Returns:
            The layers of the tree, if it is laid over another; `None` if files were written.
        """
        ...

    def close(self) -> None:
        """Take away what is kept for later use."""
        ...


@frozen
class Checkout:
    """Git writes the files: filters, attributes, sparse patterns and all."""

    git: Git

    def fill(self, tree: Tree, order: Order) -> None:
        """Write the files of the commit that the tree is at."""
        del order
        self.git.at(tree.path).run("reset", "--hard", "--quiet", "--no-recurse-submodules")

    def close(self) -> None:
        """Nothing is kept."""


class Spread(Protocol):
    """Makes the files of one tree show in others."""

    def worth(self, order: Order) -> int:
        """From which tree on a template is worth having."""
        ...

    def spread(self, template: Tree, tree: Tree) -> Layers | None:
        """Make the second tree, which has nothing but `.git`, show the files of the first."""
        ...


@define
class Template:
    """Sooner or later, files come from a tree that git wrote.

    Half of the time that a checkout takes goes into unpacking objects and into filters.
    """

    registry: Registry
    checkout: Checkout
    spread: Spread
    _lock: Lock = field(factory=Lock, init=False, repr=False)
    _asked: Counter[Oid] = field(factory=Counter[Oid], init=False, repr=False)
    _template: tuple[Oid, Tree] | None = field(default=None, init=False, repr=False)

    def fill(self, tree: Tree, order: Order) -> Layers | None:
        """Take the files of a template, if there is one, or it is worth its while; else check out.

        What is laid over a template looks to git like the template; a copy does not.
        """
        template = self._template_of(order)
        if template is None:
            self.checkout.fill(tree, order)
            return None
        layers = self.spread.spread(template, tree)
        if layers is None:
            copy_index(self.checkout.git, template, tree, len(order.base))
        else:
            index = read_file(os.path.join(template.admin, "index"))
            replace_file(os.path.join(tree.admin, "index"), index)
        return layers

    def close(self) -> None:
        """Take the template away."""
        template, self._template = self._template, None
        if template is not None and not carries(template[1].path):
            self.registry.strike(template[1])

    def _template_of(self, order: Order) -> Tree | None:
        base = order.base
        with self._lock:
            if self._template is None:
                self._asked[base] += 1
                if self._asked[base] < self.spread.worth(order):
                    return None
                self._template = base, self._made(base)
            return self._template[1] if self._template[0] == base else None

    def _made(self, base: Oid) -> Tree:
        self.registry.make_way(_TEMPLATE)
        path = os.path.join(self.registry.directory, SPARE + _TEMPLATE)
        order = Order(name=_TEMPLATE, base=base)
        tree = self.registry.enter(order, path)
        self.checkout.fill(tree, order)
        return tree


@frozen
class Copying:
    """Files are written once more."""

    def worth(self, order: Order) -> int:
        """The third: the template itself is a tree more."""
        del order
        return 3

    def spread(self, template: Tree, tree: Tree) -> None:
        """Copy."""
        copy_files(template.path, tree.path)


@frozen
class LayingOver:
    """Trees are laid over the template."""

    trash: str

    def worth(self, order: Order) -> int:
        """The first: once the template is made, the tree is, too.

        A single tree without a branch, such as that of the run, is written. What is in it is
        nowhere else, and a mount does not outlive the machine's next start.
        """
        return 2 if order.branch is None else 1

    def spread(self, template: Tree, tree: Tree) -> Layers:
        """Mount."""
        layers = Layers(lower=template.path, tree=tree, trash=self.trash)
        layers.lay()
        return layers


@define
class Cheapest:
    """Large trees are laid over the template, where that is permitted; others are copied.

    Attributes:
        common: git's directory: the user's own index tells how large trees are, near enough.
        directory: where the trees are.
        trash: where they go.
    """

    common: str
    directory: str
    trash: str
    _permitted: bool | None = field(default=None, init=False)

    def worth(self, order: Order) -> int:
        """What the better of the two says."""
        return self._choice(self.common).worth(order)

    def spread(self, template: Tree, tree: Tree) -> Layers | None:
        """Let the better of the two do it."""
        return self._choice(template.admin).spread(template, tree)

    def _choice(self, admin: str) -> Spread:
        large = count_files(admin) >= MANY
        return LayingOver(self.trash) if large and self._is_permitted() else Copying()

    def _is_permitted(self) -> bool:
        if self._permitted is None:
            self._permitted = overlay_problem(self.directory) is None
        return self._permitted


def count_files(admin: str) -> int:
    """How many files the index in a directory of git's has; none without an index."""
    try:
        with open(os.path.join(admin, "index"), "rb") as index:
            return int.from_bytes(index.read(12)[8:], "big")
    except FileNotFoundError:
        return 0


def copy_files(source: str, target: str) -> None:
    """Copy what is in a working tree into one that has nothing but `.git`."""
    pending = [""]
    while pending:
        path = pending.pop()
        with os.scandir(os.path.join(source, path)) as entries:
            for entry in entries:
                inner = os.path.join(path, entry.name)
                to = os.path.join(target, inner)
                if entry.is_symlink():
                    os.symlink(os.readlink(entry.path), to)
                elif entry.is_dir():
                    os.mkdir(to)
                    pending.append(inner)
                elif inner != ".git":
                    _copy_file(entry.path, to, entry.stat().st_mode)


def _copy_file(source: str, target: str, mode: int) -> None:
    """Copy inside the kernel, which shares blocks where the file system can."""
    made = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with open(source, "rb") as read, open(os.open(target, made, mode & 0o777), "wb") as written:
        if hasattr(os, "copy_file_range"):
            while os.copy_file_range(read.fileno(), written.fileno(), _CHUNK):
                pass
        else:
            shutil.copyfileobj(read, written)


def copy_index(git: Git, source: Tree, target: Tree, digits: int) -> None:
    """Give a copied tree its template's index, with the times of its own files."""
    data = Path(source.admin, "index").read_bytes()
    fresh = restamped(
        data, digits, lambda path: os.lstat(os.path.join(os.fsencode(target.path), path))
    )
    replace_file(os.path.join(target.admin, "index"), data if fresh is None else fresh)
    if fresh is None:
        git.at(target.path).run("update-index", "-q", "--refresh")
