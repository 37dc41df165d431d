"""Git's objects: files, trees and commits, under the very ids that git gives them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from hashlib import sha1
from typing import Final, TypeAlias

from attrs import evolve, field, frozen

from anabranch.environment import Oid
from anabranch.services.git.commits import Commit

FILE: Final = "100644"
EXECUTABLE: Final = "100755"
LINK: Final = "120000"
_DIRECTORY: Final = "40000"

SIGNATURE: Final = b"Ada <ada@example.org> 981173106 +0000"
"""Who commits here, and when: as in `anabranch.testing.repositories`."""


@frozen
class Entry:
    """A file in a tree: what is in it, or where a symbolic link points, and its mode."""

    data: bytes
    mode: str = FILE

    @property
    def oid(self) -> str:
        """Git's id of the content."""
        return object_id("blob", self.data)


Tree: TypeAlias = Mapping[str, Entry]
"""All files of a tree by their path, with `/`."""

EMPTY: Final[Tree] = {}


def object_id(kind: str, data: bytes) -> str:
    """Git's id of an object.

    >>> object_id("blob", b"hello")
    'b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0'
    """
    head = b"%s %d\0" % (kind.encode(), len(data))
    return sha1(head + data, usedforsecurity=False).hexdigest()


def tree_id(tree: Tree) -> str:
    """Git's id of a tree.

    >>> tree_id({})
    '4b825dc642cb6eb9a060e54bf8d69288fbee4904'
    """
    return _directory_id([(path.split("/"), entry) for path, entry in tree.items()])


def _directory_id(files: list[tuple[list[str], Entry]]) -> str:
    below: dict[str, list[tuple[list[str], Entry]]] = {}
    found: list[tuple[bytes, bytes]] = []
    for (name, *rest), entry in files:
        if rest:
            below.setdefault(name, []).append((rest, entry))
        else:
            found.append((os.fsencode(name), _record(entry.mode, name, entry.oid)))
    for name, inner in below.items():
        record = _record(_DIRECTORY, name, _directory_id(inner))
        found.append((os.fsencode(name) + b"/", record))
    return object_id("tree", b"".join(record for _, record in sorted(found)))


def _record(mode: str, name: str, oid: str) -> bytes:
    return mode.encode() + b" " + os.fsencode(name) + b"\0" + bytes.fromhex(oid)


@frozen
class Objects:
    """Every commit and tree there is. It only grows, so that snapshots can share it."""

    commits: dict[Oid, Commit] = field(factory=dict[Oid, Commit])
    trees: dict[str, Tree] = field(factory=dict[str, Tree])

    def tree(self, commit: Oid) -> Tree:
        """The files of a commit."""
        return self.trees[self.commits[commit].tree]

    def commit(self, tree: Tree, parents: Iterable[Oid], message: str) -> Oid:
        """Make a commit."""
        oid = tree_id(tree)
        commit = Commit(
            tree=oid,
            parents=tuple(parents),
            author=SIGNATURE,
            committer=SIGNATURE,
            message=message,
        )
        return self._add(commit, tree)

    def again(self, commit: Commit, tree: Tree, parent: Oid, message: str) -> Oid:
        """Make a commit like another, elsewhere."""
        there = evolve(
            commit, tree=tree_id(tree), parents=(parent,), committer=SIGNATURE, message=message
        )
        return self._add(there, tree)

    def _add(self, commit: Commit, tree: Tree) -> Oid:
        self.trees.setdefault(commit.tree, tree)
        oid = Oid(object_id("commit", commit.to_bytes()))
        self.commits.setdefault(oid, commit)
        return oid
