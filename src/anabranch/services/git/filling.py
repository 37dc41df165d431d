"""Ways to put the files of a commit into a worktree that has none yet."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Final, Protocol, TypeAlias

from attrs import define, field, frozen

from anabranch.environment import Oid
from anabranch.services.git.files import replace_file
from anabranch.services.git.index_file import restamped
from anabranch.services.git.overlays import Layers, carries, overlay_problem
from anabranch.services.git.registry import SPARE, Registry
from anabranch.services.git.runner import Git
from anabranch.services.git.trees import Order, Tree

_TEMPLATE: Final = "template"
_CHUNK: Final = 1 << 30
_WORTH_IT: Final = 3

MANY: Final = 1_000
"""A tree with so many files is laid over a template rather than copied from it."""


class Fill(Protocol):
    """A way to fill trees. Its methods block, and may be called from any thread."""

    def fill(self, tree: Tree, base: Oid) -> Layers | None:
        """Put the files of a commit, and git's index of them, into a tree that is at it.

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

    def fill(self, tree: Tree, base: Oid) -> None:
        """Write the files of the commit that the tree is at."""
        del base
        self.git.at(tree.path).run("reset", "--hard", "--quiet", "--no-recurse-submodules")

    def close(self) -> None:
        """Nothing is kept."""


Spread: TypeAlias = Callable[[Tree, Tree], Layers | None]
"""Makes the second tree, which has nothing but `.git`, show the files of the first."""


@define
class Template:
    """From the third tree on, files come from a tree that git wrote.

    Half of the time that a checkout takes goes into unpacking objects and into filters.
    """

    registry: Registry
    checkout: Checkout
    spread: Spread
    _lock: Lock = field(factory=Lock, init=False, repr=False)
    _asked: Counter[Oid] = field(factory=Counter[Oid], init=False, repr=False)
    _template: tuple[Oid, Tree] | None = field(default=None, init=False, repr=False)

    def fill(self, tree: Tree, base: Oid) -> Layers | None:
        """Take the files of the template, if the commit was asked for before; else check out."""
        template = self._template_of(base)
        if template is None:
            self.checkout.fill(tree, base)
            return None
        layers = self.spread(template, tree)
        copy_index(self.checkout.git, template, tree, len(base))
        return layers

    def close(self) -> None:
        """Take the template away."""
        template, self._template = self._template, None
        if template is not None and not carries(template[1].path):
            self.registry.strike(template[1])

    def _template_of(self, base: Oid) -> Tree | None:
        with self._lock:
            if self._template is None:
                self._asked[base] += 1
                if self._asked[base] < _WORTH_IT:
                    return None
                self._template = base, self._made(base)
            return self._template[1] if self._template[0] == base else None

    def _made(self, base: Oid) -> Tree:
        self.registry.make_way(_TEMPLATE)
        path = os.path.join(self.registry.directory, SPARE + _TEMPLATE)
        tree = self.registry.enter(Order(name=_TEMPLATE, base=base), path)
        self.checkout.fill(tree, base)
        return tree


def copy(template: Tree, tree: Tree) -> None:
    """Write the files once more."""
    copy_files(template.path, tree.path)


@frozen
class LayOver:
    """Lay trees over the template."""

    trash: str

    def __call__(self, template: Tree, tree: Tree) -> Layers:
        """Mount one."""
        layers = Layers(lower=template.path, tree=tree, trash=self.trash)
        layers.lay()
        return layers


@define
class Cheapest:
    """Lay large trees over the template, where that is permitted; copy the others."""

    trash: str
    _permitted: bool | None = field(default=None, init=False)

    def __call__(self, template: Tree, tree: Tree) -> Layers | None:
        """Choose, and do it."""
        if _count(template) >= MANY and self._is_permitted(os.path.dirname(tree.path)):
            return LayOver(self.trash)(template, tree)
        copy(template, tree)
        return None

    def _is_permitted(self, directory: str) -> bool:
        if self._permitted is None:
            self._permitted = overlay_problem(directory) is None
        return self._permitted


def _count(tree: Tree) -> int:
    """How many files git's index of a tree has."""
    with open(os.path.join(tree.admin, "index"), "rb") as index:
        return int.from_bytes(index.read(12)[8:], "big")


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
