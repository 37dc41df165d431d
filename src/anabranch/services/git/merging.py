"""Merges in memory: trees are merged without a checkout, and a branch moves at the very end.

The steps only ever add objects that nothing refers to yet. The one visible step is the last,
a compare-and-swap of the branch; a process that dies earlier leaves nothing to repair.
"""

from __future__ import annotations

import re
from threading import Lock
from typing import Final

from attrs import define, evolve, field

from anabranch.environment import Conflict, Merge, MergeFault, MergeRequest, Oid
from anabranch.services.git.commits import Commit, with_trailers
from anabranch.services.git.conflicts import Clash, Side
from anabranch.services.git.faults import Unmerged
from anabranch.services.git.objects import NoSuchObject, Objects
from anabranch.services.git.refs import Refs
from anabranch.services.git.replaying import Replayer
from anabranch.services.git.runner import Git, GitError
from anabranch.services.git.signing import Signer
from anabranch.services.git.tree_merges import TreeMerger

_TRIES: Final = 5
_SHOWN: Final = 3
_UNRELATED: Final = b"unrelated histories"
_SUBMODULE: Final = "160000"


@define(kw_only=True)
class Merger:
    """Merges commits and moves branches.

    Attributes:
        git: runs in the repository.
        refs, objects: of the repository.
        trees: merges the trees.
        signer: says who commits, and when.
    """

    git: Git
    refs: Refs
    objects: Objects
    trees: TreeMerger
    signer: Signer
    _lock: Lock = field(factory=Lock, init=False, repr=False)
    _replayer: Replayer = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._replayer = Replayer(
            git=self.git, objects=self.objects, signer=self.signer, merged=self._tree
        )

    def is_ancestor(self, older: Oid, newer: Oid) -> bool:
        """Whether everything in one commit is in another."""
        found = self.git.attempt("merge-base", "--is-ancestor", older, newer)
        if found.code not in {0, 1}:
            raise GitError(found)
        return found.code == 0

    def merge(self, request: MergeRequest) -> Merge:
        """Merge into a branch; anew if somebody else moves the branch meanwhile."""
        ref = f"refs/heads/{request.target}"
        with self._lock:
            for _ in range(_TRIES):
                before = self.refs.commit_at(ref)
                if before is None:
                    raise unknown(request.target)
                after = self._merged(before, request)
                merge = self._moved(request, before, after)
                if merge is not None:
                    return merge
                request = evolve(request, drops=None)
        message = f"branch {request.target} moved {_TRIES} times meanwhile"
        raise Unmerged(MergeFault.MOVED, message)

    def adopt(self, request: MergeRequest, before: Oid, tree: str) -> Merge:
        """Make a tree that somebody else merged what the target is, if it is still at `before`."""
        names = self.signer.names()
        originals = self._replayer.trailers_of(request) if request.linear else ()
        commit = Commit(
            tree=tree,
            parents=(before,) if request.linear else (before, request.source),
            author=names.author,
            committer=names.committer,
            message=with_trailers(request.message, (*request.trailers, *originals)),
        )
        with self._lock:
            after = self.objects.write(commit)
            merge = self._moved(request, before, after)
            merge = merge or self._moved(evolve(request, drops=None), before, after)
        if merge is None:
            message = f"branch {request.target} moved while a conflict was resolved"
            raise Unmerged(MergeFault.MOVED, message)
        return merge

    def _moved(self, request: MergeRequest, before: Oid, after: Oid) -> Merge | None:
        """Make a merge visible; `None` if one of the branches is elsewhere by now.

        The same if git would not drop one, which may be locked: that is no reason not to merge.
        """
        drops = request.drops not in {None, request.target}
        gone = (f"refs/heads/{request.drops}", request.source) if drops else None
        try:
            if not self.refs.move(f"refs/heads/{request.target}", before, after, gone=gone):
                return None
        except GitError:
            if gone is None:
                raise
            return None
        if request.linear:
            self._replayer.moved(request)
        dropped = drops and before != after
        return Merge(target=request.target, before=before, commit=after, dropped=dropped)

    def join(self, ours: Oid, theirs: Oid, message: str) -> Oid:
        """A merge commit of two commits; `ours` itself if it holds the other already."""
        mine = self.objects.commit(ours)
        tree = self._tree(ours, theirs, mine.tree)
        if tree == mine.tree and self.is_ancestor(theirs, ours):
            return ours
        names = self.signer.names()
        return self.objects.write(
            Commit(
                tree=tree,
                parents=(ours, theirs),
                author=names.author,
                committer=names.committer,
                message=message,
            )
        )

    def _merged(self, before: Oid, request: MergeRequest) -> Oid:
        try:
            if request.fast_forward and self.is_ancestor(before, request.source):
                return request.source
            if request.linear:
                return self._replayer.replay(before, request)
            message = with_trailers(request.message, request.trailers)
            return self.join(before, request.source, message)
        except (NoSuchObject, GitError):
            if self.refs.commit_at(request.source) is None:
                raise unknown(request.source) from None
            raise

    def _tree(self, ours: Oid, theirs: Oid, tree: str) -> str:
        try:
            merged = self.trees.merge(ours, theirs, tree)
        except GitError as error:
            if _UNRELATED not in error.output.stderr:
                raise
            message = "the two histories have no commit in common"
            raise Unmerged(MergeFault.UNRELATED, message) from None
        if merged.clashes is None:
            return merged.tree
        asides = re.compile(rf"~({ours}|{theirs})(_\d+)?$")
        conflicts = tuple(
            evolve(self._with_sides(clash), path=asides.sub("", clash.path))
            for clash in merged.clashes
        )
        found = list(dict.fromkeys(conflict.path for conflict in conflicts))
        names = ", ".join(found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise Unmerged(MergeFault.CONFLICT, f"conflict in {names}{more}", conflicts)

    def _with_sides(self, clash: Clash) -> Conflict:
        return Conflict(
            path=clash.path,
            kind=clash.kind,
            ours=self._content(clash.ours),
            theirs=self._content(clash.theirs),
        )

    def _content(self, side: Side | None) -> bytes | None:
        """A blob; of a submodule, the commit it points to."""
        if side is None:
            return None
        return side.oid.encode() if side.mode == _SUBMODULE else self.objects.blob(side.oid)


def unknown(revision: str) -> Unmerged:
    """The answer for a revision that does not exist."""
    return Unmerged(MergeFault.UNKNOWN_REVISION, f"no such revision: {revision}")
