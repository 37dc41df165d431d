"""What happened in a worktree since its base, from git's machine-readable outputs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from attrs import evolve

from anabranch.environment import Changes, Oid
from anabranch.services.git.runner import Git

_STATUS: Final = ("status", "--porcelain=v2", "--branch", "-z", "--no-renames", "-uall")
_DIFF: Final = ("diff-tree", "-r", "-M", "-z", "--raw", "--numstat")


def changes(git: Git, base: Oid, carried: frozenset[str] = frozenset()) -> Changes:
    """What was committed since `base` in the tree that `git` runs in, and what was not.

    Arguments:
        git: runs in the tree.
        base: the commit that the tree was made at.
        carried: untracked paths that were there from the start and do not count.
    """
    head, dirty = parse_status(git.run(*_STATUS).stdout)
    dirty = tuple(path for path in dirty if path not in carried)
    if head == base:
        return Changes(head=head, dirty=dirty)
    commits = git.run("rev-list", "--reverse", "--topo-order", f"{base}..{head}").text.split()
    diff = parse_diff(git.run(*_DIFF, base, head).stdout)
    return evolve(diff, head=head, commits=tuple(map(Oid, commits)), dirty=dirty)


def parse_status(data: bytes) -> tuple[Oid, tuple[str, ...]]:
    r"""Read `status --porcelain=v2 --branch -z`: the commit, and the paths that are not clean.

    >>> parse_status(b"# branch.oid 12\0? new file\0")
    ('12', ('new file',))
    """
    head, dirty = "", set[str]()
    for record in data.split(b"\0")[:-1]:
        kind, _, rest = record.partition(b" ")
        if kind == b"#":
            head = rest[11:].decode() if rest.startswith(b"branch.oid ") else head
        else:
            fields = {b"1": 7, b"u": 9, b"?": 0}[kind]
            dirty.add(os.fsdecode(rest.split(b" ", fields)[fields]))
    return Oid(head), tuple(sorted(dirty))


def parse_diff(data: bytes) -> Changes:
    """Read `diff-tree --raw --numstat -z -M`; `head` is left empty."""
    fields = iter(data.split(b"\0")[:-1])
    kinds: dict[str, list[str]] = {"A": [], "M": [], "D": []}
    renamed: list[tuple[str, str]] = []
    insertions = deletions = 0
    for found in fields:
        if found.startswith(b":"):
            _sort_in(found.split(b" ")[4].decode(), fields, kinds, renamed)
        else:
            added, removed, path = found.split(b"\t", 2)
            insertions += _number(added)
            deletions += _number(removed)
            if not path:
                for _ in range(2):
                    next(fields)
    return Changes(
        head=Oid(""),
        added=tuple(sorted(kinds["A"])),
        modified=tuple(sorted(kinds["M"])),
        deleted=tuple(sorted(kinds["D"])),
        renamed=tuple(sorted(renamed)),
        insertions=insertions,
        deletions=deletions,
    )


def _sort_in(
    status: str,
    fields: Iterator[bytes],
    kinds: dict[str, list[str]],
    renamed: list[tuple[str, str]],
) -> None:
    path = os.fsdecode(next(fields))
    if status.startswith("R"):
        renamed.append((path, os.fsdecode(next(fields))))
    else:
        kinds[status if status in kinds else "M"].append(path)


def _number(count: bytes) -> int:
    """Lines of a file; a binary file has none."""
    return 0 if count == b"-" else int(count)
