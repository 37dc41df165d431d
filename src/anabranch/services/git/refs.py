"""Branches: read from git's files or through a process, moved by compare-and-swap."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from attrs import field, frozen

from anabranch.environment import Oid
from anabranch.services.git.files import read_file
from anabranch.services.git.helpers import Helper, HelperDied
from anabranch.services.git.runner import Git, GitError, GitOutput
from anabranch.services.git.threads import step_aside

_OID: Final = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?\n")
_MOVED: Final = re.compile(rb"but expected|reference already exists|unable to resolve reference")


START: Final = b"start\n"
"""A transaction is begun ahead of time: of the answers to a question, only the last is waited for."""


@frozen(kw_only=True)
class Refs:
    """The refs of a repository. Names are full: `refs/heads/main`.

    Attributes:
        git: runs in the repository.
        common: git's directory.
        writer: `git update-ref --stdin`, which has been told to `START`.
        hooked: whether git runs a hook of the user with each change, which may take long.
    """

    git: Git
    common: str
    writer: Helper = field(repr=False)
    hooked: Callable[[], bool] = field(repr=False)

    def commit_at(self, revision: str) -> Oid | None:
        """The commit that a revision names, if it names one."""
        loose = self.loose(revision) if revision.startswith("refs/") else None
        if loose is not None:
            return loose
        wanted = f"{revision}^{{commit}}"
        found = self.git.attempt("rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
        return Oid(found.text) if found.code == 0 else None

    def loose(self, ref: str) -> Oid | None:
        """The commit that a ref names in a file of its own; `None` if it has none."""
        with suppress(OSError):
            text = read_file(os.path.join(self.common, ref))
            if _OID.fullmatch(text):
                return Oid(text.decode().strip())
        return None

    def create(self, ref: str, commit: Oid) -> bool:
        """Make a ref; `False` if it is there already."""
        return self._transaction(f"create {ref} {commit}")

    def move(
        self, ref: str, before: Oid, after: Oid, *, gone: tuple[str, Oid] | None = None
    ) -> bool:
        """Move a ref, and delete another in the same step, if both are where they are expected.

        Returns:
            Whether they were. If there is nowhere to move to, nothing is deleted either.
        """
        deletion = "" if gone is None else f"\n{_deleting(*gone)}"
        return before == after or self._transaction(f"update {ref} {after} {before}{deletion}")

    def put(self, ref: str, commit: Oid) -> None:
        """Make or move a ref, wherever it is."""
        self._transaction(f"update {ref} {commit}")

    def delete(self, ref: str, expected: Oid | None = None) -> bool:
        """Delete a ref, if it is where it is expected; whether it was. None is fine, too."""
        there = self.commit_at(ref)
        return there is None or self._transaction(_deleting(ref, expected or there))

    def _transaction(self, command: str) -> bool:
        if self.hooked():
            step_aside()
        with self.writer.lock:
            try:
                self.writer.ask(f"{command}\ncommit\n".encode() + START)
                self.writer.until(b"commit: ok\n")
            except HelperDied as died:
                if _MOVED.search(died.complaint):
                    return False
                raise GitError(
                    GitOutput(
                        arguments=("update-ref", command),
                        code=128,
                        stdout=b"",
                        stderr=died.complaint,
                    )
                ) from None
        return True


def _deleting(ref: str, expected: Oid) -> str:
    """Delete a ref itself, and not what it may stand for."""
    return f"option no-deref\ndelete {ref} {expected}"
