"""Taking back what git had begun to write when it could not go on.

A fast-forward writes files, then the index, then moves the branch. Git looks for what is in the way
before it writes anything, but it stops in the middle if a filter fails, the disk is full, or a hook
or a lock keeps the branch from moving. Only what was as `HEAD` has it before, or not there, and is
now what was to land, is brought back: everything else is somebody else's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path, PurePosixPath

from attrs import frozen

from anabranch.environment import Oid
from anabranch.services.git.diffs import ABSENT
from anabranch.services.git.runner import Git, GitError, paths
from anabranch.services.git.ways import Way, survey, torn_at


@frozen(kw_only=True)
class Before:
    """A working tree before it is brought forward.

    Attributes:
        head, commit: where it is, and where it is to go.
        way: what lies in between.
        gone: tracked files that are not there.
        directories: those above what lands that are there.
        index: the file of git's index, and what it holds.
    """

    head: Oid
    commit: Oid
    way: Way
    gone: frozenset[str]
    directories: frozenset[str]
    index: tuple[Path, bytes]

    @classmethod
    def of(cls, git: Git, head: Oid, commit: Oid) -> Before:
        """Look at the tree that `git` runs in."""
        way = survey(git, head, commit)
        index = Path(git.run("rev-parse", "--path-format=absolute", "--git-path", "index").text)
        return cls(
            head=head,
            commit=commit,
            way=way,
            gone=frozenset(path for path in way.differing if way.is_gone(git.directory, path)),
            directories=frozenset(_directories(git.directory, way)),
            index=(index, index.read_bytes() if index.exists() else b""),
        )

    def bring_back(self, git: Git) -> None:
        """Make the tree what it was, if its branch has not moved."""
        if git.attempt("rev-parse", "HEAD").text != self.head:
            return
        if self._is_forward(git):
            with suppress(OSError):
                _restore(*self.index)
        mine = self.way.landings.keys() - self.way.same - (self.way.differing - self.gone)
        written = sorted(_written(git, self.head, self.commit) & mine)
        for path in written:
            _remove(git.directory, path, but=self.directories)
        self._check_out(git, (path for path in written if path not in self.gone))
        git.attempt("update-index", "-q", "--refresh")

    def _is_forward(self, git: Git) -> bool:
        """Whether git wrote the index; if not, whatever came into it is somebody else's."""
        differing = git.run("diff-index", "--cached", "-z", "--name-only", self.commit, "--").stdout
        return self.way.landings.keys().isdisjoint(paths(differing))

    def _check_out(self, git: Git, written: Iterable[str]) -> None:
        before = (path for path in written if self.way.landings[path].old[0] != ABSENT)
        listed = os.fsencode("".join(f"{path}\0" for path in before))
        git.attempt("checkout-index", "--force", "-u", "-z", "--stdin", stdin=listed)


def _restore(index: Path, data: bytes) -> None:
    """Give the index its content back, under git's own lock."""
    if not data or index.read_bytes() == data:
        return
    lock = index.with_name(f"{index.name}.lock")
    with lock.open("xb") as file:
        file.write(data)
    lock.replace(index)


def _written(git: Git, head: Oid, commit: Oid) -> frozenset[str]:
    """The paths at which there is what was to land, or the beginning of it."""
    now = survey(git, head, commit)
    there = {path for path in now.differing if now.occupied[path] == path}
    gone = {path for path in there if now.is_gone(git.directory, path)}
    return now.same | gone | {path for path in there - gone if _is_torn(git, now, path)}


def _is_torn(git: Git, way: Way, path: str) -> bool:
    with suppress(GitError, OSError):
        return torn_at(git, way.landings[path]) is not None
    return False


def _directories(tree: str, way: Way) -> Iterator[str]:
    above = {str(parent) for path in way.landings for parent in PurePosixPath(path).parents}
    yield from (path for path in above if os.path.isdir(os.path.join(tree, path)))


def _remove(tree: str, path: str, *, but: AbstractSet[str]) -> None:
    """Remove a file, and the directories above it that are empty then, but for some."""
    with suppress(OSError):
        os.unlink(os.path.join(tree, path))
        while (path := os.path.dirname(path)) and path not in but:
            os.rmdir(os.path.join(tree, path))
