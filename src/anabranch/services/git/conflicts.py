"""What `git merge-tree -z` says, read into values."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final

from attrs import frozen

_KIND: Final = re.compile(rb"CONFLICT \(([^)]*)\)")


@frozen(kw_only=True)
class Side:
    """One version of a conflicting file."""

    mode: str
    oid: str


@frozen(kw_only=True)
class Clash:
    """A file that could not be merged. A side that is `None` does not have it.

    Attributes:
        kind: git's word for it, such as `content`, `binary`, `modify/delete`.
    """

    path: str
    kind: str = "content"
    ours: Side | None = None
    theirs: Side | None = None


@frozen(kw_only=True)
class MergedTree:
    """The outcome of a merge in memory: a tree, and what in it is in conflict; `None` is clean."""

    tree: str
    clashes: tuple[Clash, ...] | None = None


def read_merge(fields: Iterator[bytes], *, clean: bool) -> MergedTree:
    """Read what `merge-tree -z` prints for one merge, no field more than belongs to it.

    Arguments:
        fields: the parts of the output, without the NUL after each.
        clean: whether git said that there was no conflict.
    """
    tree = next(fields).decode()
    if clean:
        return MergedTree(tree=tree)
    sides = _sides(fields)
    said = dict(_messages(fields))
    found = sides or {path: {} for path in said}
    clashes = (_clash(path, stages, said.get(path)) for path, stages in found.items())
    return MergedTree(tree=tree, clashes=tuple(clashes))


def _clash(path: str, stages: dict[str, Side], said: str | None) -> Clash:
    ours, theirs = stages.get("2"), stages.get("3")
    return Clash(path=path, kind=said or "content", ours=ours, theirs=theirs)


def _sides(fields: Iterator[bytes]) -> dict[str, dict[str, Side]]:
    """`<mode> <object> <stage>`, a tab and `<path>`, up to an empty field."""
    found: dict[str, dict[str, Side]] = {}
    for record in fields:
        if not record:
            break
        head, _, path = record.partition(b"\t")
        mode, oid, stage = head.decode().split(" ")
        found.setdefault(os.fsdecode(path), {})[stage] = Side(mode=mode, oid=oid)
    return found


def _messages(fields: Iterator[bytes]) -> Iterator[tuple[str, str]]:
    """`<number of paths>`, the paths, a type, a sentence; only conflicts are of interest.

    The sentence is more exact than the type, but for binary files, whose sentence has no kind.
    After submodules git adds advice for people in place of the number.
    """
    binary = set[str]()
    for count in fields:
        if not count.isdigit():
            return
        concerned = [os.fsdecode(next(fields)) for _ in range(int(count))]
        binary.update(concerned if b"binary" in next(fields) else ())
        kind = _KIND.search(next(fields))
        if kind is not None:
            for path in concerned:
                yield path, "binary" if path in binary else kind[1].decode()
