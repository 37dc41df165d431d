"""Objects of a repository: commits read and written without a process, if they are loose."""

from __future__ import annotations

import hashlib
import os
import uuid
import zlib
from contextlib import suppress
from functools import cached_property
from typing import Final

from attrs import define, field

from anabranch.environment import Oid
from anabranch.services.git.commits import Commit
from anabranch.services.git.files import read_file, write_all
from anabranch.services.git.helpers import Helper, HelperDied

_READABLE: Final = 0o444
_REMEMBERED: Final = 100
_TRIES: Final = 100
_SHA1_DIGITS: Final = 40
_ANEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_REPLACED: Final = "refs/replace"


class NoSuchObject(Exception):  # noqa: N818 - an answer, not an error
    """There is no object of that id, or not of the kind that was asked for."""


@define(kw_only=True)
class Objects:
    """The object store of a repository.

    Attributes:
        common: git's directory.
        reader: `git cat-file --batch`.
    """

    common: str
    reader: Helper = field(repr=False)
    _recent: dict[Oid, Commit] = field(factory=dict[Oid, Commit], init=False, repr=False, eq=False)

    def commit(self, oid: Oid) -> Commit:
        """Read a commit.

        Raises:
            NoSuchObject: there is none of that id.
        """
        commit = self._recent.get(oid)
        if commit is None:
            commit = Commit.parse(self._loose_commit(oid) or self._read(oid, b"commit"))
        return self._remember(oid, commit)

    def blob(self, oid: str) -> bytes:
        """Read a blob.

        Raises:
            NoSuchObject: there is none of that id.
        """
        return self._read(oid, b"blob")

    def write(self, commit: Commit) -> Oid:
        """Write a commit as git does: a loose object, complete before it has its name."""
        data = commit.to_bytes()
        data = b"commit %d\0%s" % (len(data), data)
        algorithm = hashlib.sha1 if len(commit.tree) == _SHA1_DIGITS else hashlib.sha256
        oid = algorithm(data).hexdigest()
        _write_once(self._path(oid), zlib.compress(data, 1))
        self._remember(Oid(oid), commit)
        return Oid(oid)

    def _path(self, oid: str) -> str:
        return f"{self.common}/objects/{oid[:2]}/{oid[2:]}"

    def _loose_commit(self, oid: Oid) -> bytes | None:
        """What a commit holds that has a file of its own, as those have that were just made."""
        if self._may_be_replaced:
            return None
        with suppress(OSError, zlib.error):
            head, _, data = zlib.decompress(read_file(self._path(oid))).partition(b"\0")
            if head == b"commit %d" % len(data):
                return data
        return None

    @cached_property
    def _may_be_replaced(self) -> bool:
        """Whether git may show another object under the id of one: see `git replace`."""
        if any(os.path.isdir(os.path.join(self.common, p)) for p in (_REPLACED, "reftable")):
            return True
        with suppress(FileNotFoundError):
            return _REPLACED.encode() in read_file(os.path.join(self.common, "packed-refs"))
        return False

    def _remember(self, oid: Oid, commit: Commit) -> Commit:
        """Keep a few: the tip of the target is asked for again and again."""
        if len(self._recent) > _REMEMBERED:
            self._recent.clear()
        return self._recent.setdefault(oid, commit)

    def _read(self, oid: str, kind: bytes) -> bytes:
        with self.reader.lock:
            try:
                self.reader.ask(oid.encode() + b"\n")
                head = self.reader.until(b"\n").split(b" ")
                if head[-1] in {b"missing", b"ambiguous"}:
                    raise NoSuchObject(f"no such object: {oid}")
                data = self.reader.exactly(int(head[2]))
                self.reader.exactly(1)
            except HelperDied as died:
                raise NoSuchObject(f"{oid}: {died}") from None
        if head[1] != kind:
            raise NoSuchObject(f"{oid} is a {head[1].decode()}")
        return data


def _write_once(path: str, data: bytes) -> None:
    temporary = os.path.join(os.path.dirname(path), f"tmp_obj_{uuid.uuid4().hex}")
    write_all(_begun(temporary), data)
    os.rename(temporary, path)


def _begun(temporary: str) -> int:
    """A new file, also if somebody's `git gc` takes its directory away while that is empty."""
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):
            return os.open(temporary, _ANEW, _READABLE)
        with suppress(FileExistsError):
            os.mkdir(os.path.dirname(temporary))
    return os.open(temporary, _ANEW, _READABLE)
