"""A directory with nothing but the `.gitattributes` of a commit.

A merge in a checkout reads attributes (merge drivers, line endings) from the files there. A
merge in memory has no files; run in this directory it finds the attributes of its own side,
and not what the user's checkout has at that moment, or nothing.
"""

from __future__ import annotations

import os
import shutil
from typing import Final

from attrs import define, field

from anabranch.services.git.diffs import Differ
from anabranch.services.git.runner import Git

_FILES: Final = (b"100644", b"100755")
_NAME: Final = b".gitattributes"

PATHS: Final = (f":(top,glob)**/{_NAME.decode()}",)
"""What a `Differ` has to look at to see whether attributes differ."""


@define(kw_only=True)
class Attributes:
    """The directory, kept equal to the attributes of a tree.

    Attributes:
        git: runs in the repository.
        directory: where the files are.
        differ: compares `PATHS`.
    """

    git: Git
    directory: str
    differ: Differ = field(repr=False)
    _tree: str | None = field(default=None, init=False)

    def follow(self, tree: str) -> bool:
        """Make the directory equal to a tree's attributes; whether anything changed."""
        before, self._tree = self._tree, tree
        if before == tree or (before is not None and not self.differ.ask(before, tree)):
            return False
        self._fill(tree)
        return True

    def _fill(self, tree: str) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        listed = self.git.run("ls-tree", "-r", "-z", "--full-tree", tree).stdout
        for record in listed.split(b"\0")[:-1]:
            head, _, path = record.partition(b"\t")
            mode, _, oid = head.split(b" ")
            if path.rpartition(b"/")[2] == _NAME and mode in _FILES:
                self._write(os.fsdecode(path), oid.decode())

    def _write(self, path: str, oid: str) -> None:
        target = os.path.join(self.directory, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(self.git.run("cat-file", "blob", oid).stdout)
