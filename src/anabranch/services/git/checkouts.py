"""Who has a branch checked out, and what stands in the way of moving it under them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import frozen

from anabranch.services.git.admin import entries
from anabranch.services.git.repository import GitRepository
from anabranch.services.git.runner import Git

_UNDER_WAY: Final = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "BISECT_LOG": "bisect",
}


@frozen(kw_only=True)
class Checkout:
    """A working tree, main or linked.

    Attributes:
        path: its top.
        admin: git's directory for it.
        branch: the full name of the branch it is on; `None` is a detached HEAD.
        under_way: what was begun there and not ended, such as `rebase`.
    """

    path: str
    admin: str
    branch: str | None
    under_way: str | None


def checkouts(repository: GitRepository) -> Iterator[Checkout]:
    """All working trees that exist, the main one first; a bare repository has no main one."""
    if repository.main is not None and os.path.isdir(repository.main):
        yield _checkout(repository.main, repository.common)
    for entry in entries(repository.common):
        if os.path.isdir(entry.path):
            yield _checkout(entry.path, entry.admin)


def checkout_at(git: Git) -> Checkout:
    """The working tree that git runs in."""
    return _checkout(git.directory, git.run("rev-parse", "--absolute-git-dir").text)


def _checkout(path: str, admin: str) -> Checkout:
    head = _text(os.path.join(admin, "HEAD"))
    under_way = [
        what for name, what in _UNDER_WAY.items() if os.path.exists(os.path.join(admin, name))
    ]
    rebasing = _text(os.path.join(admin, "rebase-merge", "head-name")) or _text(
        os.path.join(admin, "rebase-apply", "head-name")
    )
    branch = rebasing or (head.removeprefix("ref: ") if head.startswith("ref: ") else None)
    return Checkout(
        path=path, admin=admin, branch=branch, under_way=under_way[0] if under_way else None
    )


def _text(path: str) -> str:
    with suppress(OSError):
        return os.fsdecode(Path(path).read_bytes()).strip()
    return ""
