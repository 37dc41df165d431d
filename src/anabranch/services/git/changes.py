"""What happened in a worktree since its base: what was committed, and what was not."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import evolve, field, frozen

from anabranch.environment import Changes, Oid, WorktreeFault
from anabranch.services.git.admin import head_text
from anabranch.services.git.carrying import stamp
from anabranch.services.git.diffs import ABSENT, Diff, Differ
from anabranch.services.git.faults import Refused
from anabranch.services.git.index_file import tree_of_index
from anabranch.services.git.objects import Objects
from anabranch.services.git.refs import Refs
from anabranch.services.git.runner import Git, paths
from anabranch.services.git.trees import Tree

_OID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_STATUS: Final = ("status", "--porcelain=v2", "-z", "--no-renames", "-uall")
_NEAR: Final = 50
_REMEMBERED: Final = 100
_LINK: Final = "120000"
_FIELDS: Final = {b"1": 7, b"u": 9, b"?": 0}


@frozen
class _Between:
    """What lies between two commits: how their trees differ, and what is told of it."""

    diff: Diff
    changes: Changes


@frozen(kw_only=True)
class Observer:
    """Looks at worktrees.

    Attributes:
        git: for what has no quicker way.
        refs, objects, differ: of the repository.
    """

    git: Git
    refs: Refs
    objects: Objects
    differ: Differ
    _lately: dict[tuple[Oid, Oid], _Between] = field(factory=dict, init=False, repr=False, eq=False)

    def changes(self, tree: Tree, base: Oid, touched: AbstractSet[str] | None) -> Changes:
        """What happened in a tree since its base.

        Arguments:
            tree: where to look.
            base: the commit that it was made at.
            touched: all paths at which there is now something else than at the base, if that is
                known; it may hold more than those.
        """
        head = self.head(tree)
        between = self._between(base, head)
        if self._is_clean(tree, head, between.diff, touched):
            return between.changes
        dirty = self._status(tree)
        return evolve(between.changes, dirty=tuple(dirty), uncommitted=dirty)

    def committed(self, base: Oid, head: Oid) -> Changes:
        """What was committed between the two."""
        return self._between(base, head).changes

    def known(self, base: Oid, head: Oid) -> Changes | None:
        """The same, if it was asked for lately."""
        found = _nothing(head) if base == head else self._lately.get((base, head))
        return None if found is None else found.changes

    def _between(self, base: Oid, head: Oid) -> _Between:
        if base == head:
            return _nothing(head)
        found = self._lately.get((base, head))
        if found is None:
            diff = self.differ.diff(self._tree(base), self._tree(head))
            found = _Between(diff, _told(head, self._since(base, head), diff))
            if len(self._lately) >= _REMEMBERED:
                self._lately.clear()
            self._lately[base, head] = found
        return found

    def head_in_sight(self, tree: Tree) -> Oid | None:
        """The commit that a tree stands on, if git's small files say it."""
        head = head_text(tree.admin)
        if head.startswith("ref: "):
            return self.refs.loose(head.removeprefix("ref: "))
        return Oid(head) if _OID.fullmatch(head) else None

    def head(self, tree: Tree) -> Oid:
        """The commit that a tree stands on."""
        seen = self.head_in_sight(tree)
        if seen is not None:
            return seen
        with suppress(FileNotFoundError):
            git = self.git.inside(tree.admin)
            asked = git.attempt("rev-parse", "--verify", "--quiet", "HEAD")
            if asked.code == 0:
                return Oid(asked.text)
        raise Refused(WorktreeFault.GIT, "nothing says any more which commit it stands on")

    def hold(self, tree: Tree, branch: str, base: Oid) -> None:
        """Move a branch on to where a tree stands, if nothing on the branch is lost by that.

        Arguments:
            tree: of which it is the branch.
            branch: its name; it is made again if it is gone.
            base: the commit that it was made at.
        """
        ref = f"refs/heads/{branch}"
        if head_text(tree.admin) == f"ref: {ref}":
            return
        head, tip = self.head(tree), self.refs.commit_at(ref)
        if tip is None or tip == base or (tip != head and self._is_ancestor(tip, head)):
            self.refs.put(ref, head)

    def _is_ancestor(self, older: Oid, newer: Oid) -> bool:
        return self.git.attempt("merge-base", "--is-ancestor", older, newer).code == 0

    def _tree(self, commit: Oid) -> str:
        return self.objects.commit(commit).tree

    def _since(self, base: Oid, head: Oid) -> tuple[Oid, ...]:
        """The commits between the two, oldest first."""
        found, oid = list[Oid](), head
        while oid != base and len(found) < _NEAR:
            found.append(oid)
            parents = self.objects.commit(oid).parents
            if len(parents) != 1:
                break
            oid = parents[0]
        if oid == base:
            return tuple(found[::-1])
        listed = self.git.run("rev-list", "--reverse", "--topo-order", f"{base}..{head}")
        return tuple(map(Oid, listed.text.split()))

    def _status(self, tree: Tree) -> dict[str, str]:
        found = parse_status(self.git.at(tree.path).run(*_STATUS).stdout)
        return {path: f"{kind} {stamp(tree.path, path)}" for path, kind in found.items()}

    def _is_clean(
        self, tree: Tree, head: Oid, diff: Diff, touched: AbstractSet[str] | None
    ) -> bool:
        """Whether it is certain, without asking git, that everything is committed.

        That is so if the index is what `HEAD` has, exactly the paths that differ between base
        and head have been touched, and each of them holds what `HEAD` has, byte for byte.
        """
        if touched is None or touched != _concerned(diff):
            return False
        index = Path(tree.admin, "index").read_bytes()
        if tree_of_index(index, len(head)) != self._tree(head):
            return False
        gone = (f.was for f in diff.files if f.was is not None)
        if any(os.path.lexists(os.path.join(tree.path, path)) for path in gone):
            return False
        return all(_holds(tree.path, file.path, file.mode, file.oid) for file in diff.files)


def _concerned(diff: Diff) -> set[str]:
    return {file.path for file in diff.files} | {f.was for f in diff.files if f.was is not None}


def _holds(top: str, path: str, mode: str, oid: str) -> bool:
    """Whether a file is exactly what git has of it, with no filter in between."""
    full = os.path.join(top, path)
    try:
        found = os.lstat(full).st_mode
    except OSError:
        return mode == ABSENT
    if stat.S_ISLNK(found):
        return mode == _LINK and blob_id(os.fsencode(os.readlink(full)), len(oid)) == oid
    if not stat.S_ISREG(found) or mode != ("100755" if found & stat.S_IXUSR else "100644"):
        return False
    with open(full, "rb") as file:
        return blob_id(file.read(), len(oid)) == oid


def blob_id(data: bytes, digits: int) -> str:
    """The id that git gives to some content.

    >>> blob_id(b"hello", 40)
    'b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0'
    """
    algorithm = hashlib.sha1 if digits == 40 else hashlib.sha256  # noqa: PLR2004
    return algorithm(b"blob %d\0%s" % (len(data), data)).hexdigest()


def parse_status(data: bytes) -> dict[str, str]:
    r"""The paths of `status --porcelain=v2 -z` that are not clean, sorted, and how they are not.

    >>> parse_status(b"? new file\0")
    {'new file': 'A'}
    """
    found = dict[str, str]()
    for record in paths(data):
        kind, _, rest = record.partition(" ")
        fields = _FIELDS[kind.encode()]
        path = rest.split(" ", fields)[fields]
        found[path] = "M" if path in found else _kind(kind, rest[:2])
    return dict(sorted(found.items()))


def _kind(record: str, states: str) -> str:
    """`A`, `M` or `D`, from the states of the index and of the tree."""
    if record != "1":
        return "A" if record == "?" else "M"
    if states[1] == "D" or states == "D.":
        return "D"
    return "A" if states[0] == "A" else "M"


def _nothing(head: Oid) -> _Between:
    return _Between(Diff(), Changes(head=head))


def _told(head: Oid, commits: tuple[Oid, ...], diff: Diff) -> Changes:
    def of(statuses: str) -> tuple[str, ...]:
        return tuple(sorted(file.path for file in diff.files if file.status in statuses))

    renamed = ((file.was, file.path) for file in diff.files if file.was is not None)
    return Changes(
        head=head,
        commits=commits,
        added=of("A"),
        modified=of("MT"),
        deleted=of("D"),
        renamed=tuple(sorted(renamed)),
        insertions=diff.insertions,
        deletions=diff.deletions,
    )
