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
from anabranch.services.git.files import replace_file
from anabranch.services.git.index_file import restamped
from anabranch.services.git.registry import SPARE, Registry
from anabranch.services.git.runner import Git
from anabranch.services.git.trees import Order, Tree

_TEMPLATE: Final = "template"
_CHUNK: Final = 1 << 30
_WORTH_IT: Final = 3


class Fill(Protocol):
    """A way to fill trees. Its methods block, and may be called from any thread."""

    def fill(self, tree: Tree, base: Oid) -> None:
        """Put the files of a commit, and git's index of them, into a tree that is at it."""
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


@define
class Copies:
    """From the third tree on, files are copied from one that git wrote.

    Half of the time that a checkout takes goes into unpacking objects and into filters; a copy
    has neither, and shares its blocks where the file system can.
    """

    registry: Registry
    checkout: Checkout
    _lock: Lock = field(factory=Lock, init=False, repr=False)
    _asked: Counter[Oid] = field(factory=Counter[Oid], init=False, repr=False)
    _template: tuple[Oid, Tree] | None = field(default=None, init=False, repr=False)

    def fill(self, tree: Tree, base: Oid) -> None:
        """Copy the template of the commit, if it was asked for before; else check it out."""
        template = self._template_of(base)
        if template is None:
            self.checkout.fill(tree, base)
            return
        copy_files(template.path, tree.path)
        copy_index(self.checkout.git, template, tree, len(base))

    def close(self) -> None:
        """Take the template away."""
        template, self._template = self._template, None
        if template is not None:
            self.registry.strike(template[1])

    def _template_of(self, base: Oid) -> Tree | None:
        with self._lock:
            if self._template is not None and self._template[0] == base:
                return self._template[1]
            self._asked[base] += 1
            if self._asked[base] < _WORTH_IT:
                return None
            self.close()
            self.registry.make_way(_TEMPLATE)
            path = os.path.join(self.registry.directory, SPARE + _TEMPLATE)
            tree = self.registry.enter(Order(name=_TEMPLATE, base=base), path)
            self.checkout.fill(tree, base)
            self._template = base, tree
            return tree


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
