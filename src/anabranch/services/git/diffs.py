"""Differences between trees, from one process that is asked again and again."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

from attrs import define, field, frozen

from anabranch.services.git.helpers import Helper, HelperDied
from anabranch.services.git.runner import Git, GitError, GitOutput

ABSENT = "000000"
"""The mode of a file that one of the sides does not have."""


@frozen(kw_only=True)
class FileChange:
    """A path that differs between two trees.

    Attributes:
        path: where it is in the second tree; where it was, if it is not there any more.
        status: git's letter: `A`, `D`, `M`, `T` or `R`.
        mode: of the second tree; `ABSENT` if it is not there.
        oid: its object in the second tree.
        was: where it was, if it has been renamed.
    """

    path: str
    status: str
    mode: str
    oid: str
    was: str | None = None


@frozen(kw_only=True)
class Diff:
    """What differs between two trees, and by how many lines."""

    files: tuple[FileChange, ...] = ()
    insertions: int = 0
    deletions: int = 0


def _mark() -> bytes:
    """The end of an answer: a line that is no path."""
    return f"{uuid.uuid4()}\n".encode()


@define
class Differ:
    """Compares trees.

    Attributes:
        git: runs in the repository.
        arguments: what is asked for, and of which paths.
    """

    git: Git
    arguments: tuple[str, ...] = ("-M", "--raw", "--numstat")
    paths: tuple[str, ...] = ()
    helper: Helper = field(init=False, repr=False)
    _end: bytes = field(factory=_mark, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        command = ("diff-tree", "--stdin", "-r", "-z", *self.arguments, "--", *self.paths)
        self.helper = Helper(self.git, command)

    def ask(self, one: str, other: str) -> bytes:
        """What git prints for two trees.

        Raises:
            GitError: one of them is not there.
        """
        try:
            with self.helper.lock:
                self.helper.ask(f"{one} {other}\n".encode() + self._end)
                return self.helper.until(self._end).partition(b"\n")[2]
        except HelperDied as died:
            output = GitOutput(
                arguments=("diff-tree", one, other), code=128, stdout=b"", stderr=died.complaint
            )
            raise GitError(output) from None

    def diff(self, one: str, other: str) -> Diff:
        """What differs between two trees."""
        return parse_diff(self.ask(one, other))


def parse_diff(data: bytes) -> Diff:
    r"""Read `diff-tree --raw --numstat -z`.

    >>> parse_diff(b":000000 100644 00 4f A\0new\0" + b"3\t0\tnew\0").insertions
    3
    """
    fields = iter(data.split(b"\0")[:-1])
    files: list[FileChange] = []
    insertions = deletions = 0
    for found in fields:
        if found.startswith(b":"):
            files.append(_file(found, fields))
        else:
            added, removed, path = found.split(b"\t", 2)
            insertions += _lines(added)
            deletions += _lines(removed)
            if not path:
                for _ in range(2):
                    next(fields)
    return Diff(files=tuple(files), insertions=insertions, deletions=deletions)


def _file(found: bytes, fields: Iterator[bytes]) -> FileChange:
    _, mode, _, oid, status = found.decode().removeprefix(":").split(" ")
    path = os.fsdecode(next(fields))
    was = None
    if status[0] in "RC":
        was, path = path, os.fsdecode(next(fields))
    return FileChange(path=path, status=status[0], mode=mode, oid=oid, was=was)


def _lines(count: bytes) -> int:
    """Lines of a file; a binary file has none."""
    return 0 if count == b"-" else int(count)
