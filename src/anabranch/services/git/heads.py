"""Which branches are checked out, looked up often and therefore remembered."""

from __future__ import annotations

import os
import time
from typing import TypeAlias

from attrs import define, field

from anabranch.services.git.admin import entry_of
from anabranch.services.git.files import read_file
from anabranch.services.git.pristine import is_young

Signature: TypeAlias = tuple[int, int]


@define
class Heads:
    """The `HEAD` of every working tree of a repository.

    Attributes:
        common: git's directory.
        bare: whether there is no main working tree.
        main: where that is; `None` if nothing says so.
    """

    common: str
    bare: bool
    main: str | None
    _listed: tuple[Signature, list[str]] = field(default=((0, 0), []), init=False, repr=False)
    _known: dict[str, tuple[Signature, bytes]] = field(
        factory=dict[str, tuple[Signature, bytes]], init=False, repr=False
    )

    def holders(self, *branches: str) -> dict[str, str]:
        """Those of some branches that are checked out, and the working tree of each."""
        wanted = {os.fsencode(f"ref: refs/heads/{branch}\n"): branch for branch in branches}
        found = {self._head(admin): admin for admin in reversed(self._admins())}
        return {wanted[head]: self._tree(found[head]) for head in wanted.keys() & found.keys()}

    def _tree(self, admin: str) -> str:
        return self.main or self.common if admin == self.common else entry_of(admin).path

    def _admins(self) -> list[str]:
        """Git's directories of all working trees, listed anew only if one has come or gone."""
        linked = os.path.join(self.common, "worktrees")
        mine = [] if self.bare else [self.common]
        try:
            found = os.stat(linked)
            signature = found.st_ino, found.st_ctime_ns
            if self._listed[0] == signature:
                return self._listed[1]
            listed = [*mine, *(f"{linked}/{name}" for name in os.listdir(linked))]
        except FileNotFoundError:
            return mine
        if _is_settled(found):
            self._listed = signature, listed
        return listed

    def _head(self, admin: str) -> bytes:
        """What a `HEAD` holds, read again only if the file is another one, or was just written.

        This is done for every worktree there is, for each merge.
        """
        path = f"{admin}/HEAD"
        try:
            found = os.stat(path)
            signature = found.st_ino, found.st_ctime_ns
            known = self._known.get(admin)
            if known is not None and known[0] == signature:
                return known[1]
            head = read_file(path)
        except OSError:
            return b""
        if _is_settled(found):
            self._known[admin] = signature, head
        return head


def _is_settled(found: os.stat_result) -> bool:
    """Whether any later change would show."""
    return not is_young(found.st_ctime_ns, time.time_ns())
