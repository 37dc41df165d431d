"""The directories under `worktrees/` in which git keeps what belongs to one worktree.

They are read here without a git process: listing them is done often, and git's own list
grows slow as worktrees pile up.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from attrs import frozen

from anabranch.services.git.files import read_file
from anabranch.services.owners import Owner

_MARK: Final = "anabranch"
_REASON: Final = re.compile(
    rf"{_MARK} run (\S+), (\S+): process (\d+) on (\S+), boot (\S+), started (\S+)"
)


@frozen(kw_only=True)
class Reason:
    """What the lock of a worktree of ours says: whose it is.

    Attributes:
        run: the run it belongs to.
        tree: its name in the run, such as `agent-0`.
        owner: the process that works on the run.
    """

    run: str
    tree: str
    owner: Owner

    def to_text(self) -> str:
        """The text for `git worktree lock --reason`.

        >>> owner = Owner(host="box", boot="b007", pid=17, started="4711")
        >>> Reason(run="r1", tree="agent-0", owner=owner).to_text()
        'anabranch run r1, agent-0: process 17 on box, boot b007, started 4711'
        """
        owner = self.owner
        host = "-".join(owner.host.split()) or "-"
        return (
            f"{_MARK} run {self.run}, {self.tree}: process {owner.pid} on {host},"
            f" boot {owner.boot or '-'}, started {owner.started or '-'}"
        )

    @classmethod
    def from_text(cls, text: str) -> Reason | None:
        """Read what `to_text` wrote; `None` if the lock is not ours."""
        found = _REASON.fullmatch(text)
        if found is None:
            return None
        run, tree, pid, *rest = found.groups()
        host, boot, started = ("" if part == "-" else part for part in rest)
        owner = Owner(host=host, boot=boot, pid=int(pid), started=started)
        return cls(run=run, tree=tree, owner=owner)


@frozen(kw_only=True)
class Entry:
    """One worktree as git's own files tell it.

    Attributes:
        admin: its directory under `worktrees/`.
        path: its working tree; empty if the file that names it is damaged.
        head: the text of its `HEAD`: a commit, or `ref: refs/heads/…`.
        locked: why it is locked; `None` if it is not.
    """

    admin: str
    path: str
    head: str
    locked: str | None

    @property
    def branch(self) -> str | None:
        """The full name of the branch that is checked out."""
        return self.head.removeprefix("ref: ") if self.head.startswith("ref: ") else None

    @property
    def reason(self) -> Reason | None:
        """Whose it is, if it is ours."""
        return None if self.locked is None else Reason.from_text(self.locked)


def head_text(admin: str) -> str:
    """The text of a worktree's `HEAD`; empty if it cannot be read."""
    return _text(os.path.join(admin, "HEAD")) or ""


def entries(common: str) -> Iterator[Entry]:
    """All linked worktrees, in the order of their names."""
    root = os.path.join(common, "worktrees")
    names: list[str] = []
    with suppress(FileNotFoundError):
        names = sorted(os.listdir(root))
    return (entry_of(os.path.join(root, name)) for name in names)


def entry_of(admin: str) -> Entry:
    """One worktree, from its directory under `worktrees/`; damaged parts are empty."""
    link = _text(os.path.join(admin, "gitdir"))
    return Entry(
        admin=admin,
        path=os.path.dirname(link) if link else "",
        head=head_text(admin),
        locked=_text(os.path.join(admin, "locked")),
    )


def admin_of(path: str) -> str | None:
    """The directory under `worktrees/` of a working tree, if both name each other."""
    link = _text(os.path.join(path, ".git")) or ""
    admin = link.removeprefix("gitdir: ")
    if not link.startswith("gitdir: ") or not os.path.isabs(admin):
        return None
    return admin if entry_of(admin).path == path else None


def _text(path: str) -> str | None:
    try:
        return os.fsdecode(read_file(path).removesuffix(b"\n"))
    except OSError:
        return None
