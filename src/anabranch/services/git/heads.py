"""Which branches are checked out, looked up often and therefore remembered."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from attrs import define, field

from anabranch.services.git.admin import entry_of

Signature: TypeAlias = tuple[int, int, int]

_NONE: Signature = (0, 0, 0)


@define
class Heads:
    """The `HEAD` of every working tree of a repository.

    Attributes:
        common: git's directory.
        bare: whether there is no main working tree.
    """

    common: str
    bare: bool
    _known: dict[str, tuple[Signature, str]] = field(
        factory=dict[str, tuple[Signature, str]], init=False, repr=False
    )

    def holder(self, ref: str) -> str | None:
        """The working tree that has a branch checked out; `None` if nobody has."""
        for admin in self._admins():
            if self._head(admin) == f"ref: {ref}\n":
                if admin == self.common:
                    return os.path.dirname(self.common)
                return entry_of(admin).path
        return None

    def _admins(self) -> list[str]:
        linked = os.path.join(self.common, "worktrees")
        with suppress(FileNotFoundError):
            names = [os.path.join(linked, name) for name in os.listdir(linked)]
            return names if self.bare else [self.common, *names]
        return [] if self.bare else [self.common]

    def _head(self, admin: str) -> str:
        """The text of a `HEAD`, read again only if the file is another one."""
        path = os.path.join(admin, "HEAD")
        with suppress(OSError):
            found = os.stat(path)
            signature = (found.st_ino, found.st_mtime_ns, found.st_ctime_ns)
            if self._known.get(admin, (_NONE, ""))[0] != signature:
                self._known[admin] = signature, os.fsdecode(Path(path).read_bytes())
            return self._known[admin][1]
        return ""
