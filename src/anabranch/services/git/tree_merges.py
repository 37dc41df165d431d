"""Trees merged by git without a checkout: many by one process, or each by its own."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import Final

from attrs import define

from anabranch.services.git.attributes import Attributes
from anabranch.services.git.conflicts import MergedTree, read_merge
from anabranch.services.git.helpers import Helper, HelperDied
from anabranch.services.git.runner import Git, GitError

_FLUSHES: Final = (2, 49)
"""The first git whose `merge-tree --stdin` answers at once."""

_CLEAN: Final = b"1"


@define(kw_only=True)
class TreeMerger:
    """Merges the trees of commits.

    Attributes:
        git: runs in the directory of `attributes`, with git's directory given by variables.
        attributes: what attributes are read from.
        helper: `git merge-tree --stdin`; `None` where it would keep its answers to itself.
    """

    git: Git
    attributes: Attributes
    helper: Helper | None

    def merge(self, ours: str, theirs: str, tree: str) -> MergedTree:
        """Merge two commits; `tree` is that of `ours`.

        Raises:
            GitError: git cannot merge them at all.
        """
        if self.attributes.follow(tree) and self.helper is not None:
            with self.helper.lock:
                self.helper.close()
        if self.helper is not None:
            with suppress(HelperDied), self.helper.lock:
                return _ask(self.helper, ours, theirs)
        return self._once(ours, theirs)

    def _once(self, ours: str, theirs: str) -> MergedTree:
        output = self.git.attempt("merge-tree", "--write-tree", "-z", ours, theirs)
        if output.code not in {0, 1} or not output.stdout:
            raise GitError(output)
        return read_merge(iter(output.stdout.split(b"\0")), clean=output.code == 0)


def merge_helper(git: Git, version: tuple[int, ...]) -> Helper | None:
    """The process that merges many, if this git and this machine can have one."""
    arguments = ("merge-tree", "--stdin")
    if version >= _FLUSHES:
        return Helper(git, arguments)
    stdbuf = shutil.which("stdbuf", path=git.environ.get("PATH"))
    return None if stdbuf is None else Helper(git, arguments, (stdbuf, "-o0"))


def _ask(helper: Helper, ours: str, theirs: str) -> MergedTree:
    helper.ask(f"{ours} {theirs}\n".encode())
    clean = helper.until(b"\0") == _CLEAN
    merged = read_merge(iter(lambda: helper.until(b"\0"), None), clean=clean)
    if clean:
        helper.until(b"\0")
    return merged
