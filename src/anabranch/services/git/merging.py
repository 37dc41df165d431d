"""Merges in memory: trees are merged without a checkout, and a branch moves at the very end.

The steps only ever add objects that nothing refers to yet. The one visible step is the last,
a compare-and-swap of the branch; a process that dies earlier leaves nothing to repair.
"""

from __future__ import annotations

import re
from typing import Final

from attrs import evolve, frozen

from anabranch.environment import Conflict, Merge, MergeFault, MergeRequest, Oid
from anabranch.services.git.commits import Commit, with_trailers
from anabranch.services.git.conflicts import Clash, MergedTree, Side, parse_merge
from anabranch.services.git.faults import Unmerged
from anabranch.services.git.runner import Git, GitError

_TRIES: Final = 5
_MOVED: Final = re.compile(rb"but expected|cannot lock ref|reference already exists")
_SUBMODULE: Final = "160000"


@frozen(kw_only=True)
class Merger:
    """Merges commits and moves branches, with git processes started for each."""

    git: Git

    def commit_at(self, revision: str) -> Oid | None:
        """The commit that a revision names, if it names one."""
        wanted = f"{revision}^{{commit}}"
        found = self.git.attempt("rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
        return Oid(found.text) if found.code == 0 else None

    def is_ancestor(self, older: Oid, newer: Oid) -> bool:
        """Whether everything in one commit is in another."""
        found = self.git.attempt("merge-base", "--is-ancestor", older, newer)
        if found.code not in {0, 1}:
            raise GitError(found)
        return found.code == 0

    def merge(self, request: MergeRequest) -> Merge:
        """Merge into a branch; anew if the branch moves meanwhile."""
        for _ in range(_TRIES):
            before = self.commit_at(f"refs/heads/{request.target}")
            if before is None:
                raise unknown(request.target)
            after = self.merged(before, request)
            if self.move(request.target, before, after):
                return Merge(target=request.target, before=before, commit=after)
        raise Unmerged(MergeFault.MOVED, f"branch {request.target} moved {_TRIES} times meanwhile")

    def merged(self, before: Oid, request: MergeRequest) -> Oid:
        """The commit that holds both sides; `before` itself if it holds the source already."""
        if self.commit_at(request.source) is None:
            raise unknown(request.source)
        if self.is_ancestor(request.source, before):
            return before
        if request.fast_forward and self.is_ancestor(before, request.source):
            return request.source
        if request.linear:
            return self._replayed(before, request)
        message = with_trailers(request.message, request.trailers)
        return self.join(before, request.source, message)

    def join(self, ours: Oid, theirs: Oid, message: str) -> Oid:
        """A merge commit of two commits."""
        author, committer = self._names()
        return self._write(
            Commit(
                tree=self._tree(ours, theirs),
                parents=(ours, theirs),
                author=author,
                committer=committer,
                message=message,
            )
        )

    def _replayed(self, before: Oid, request: MergeRequest) -> Oid:
        """The commits since the base, made anew on top of `before`, each with the trailers.

        A merge among them becomes one commit with what it brought to its first parent.
        """
        listed = self.git.run(
            *("rev-list", "--reverse", "--first-parent"), f"{request.base}..{request.source}"
        )
        current = self._read(before)
        last = before
        for oid in map(Oid, listed.text.split()):
            commit = self._read(oid)
            parent = commit.parents[0] if commit.parents else request.base
            replayed = self._pick(current, oid, parent)
            if replayed == current.tree != self._read(parent).tree != commit.tree:
                continue
            message = with_trailers(commit.message, request.trailers)
            current = evolve(
                commit,
                tree=replayed,
                parents=(last,),
                committer=self._names()[1],
                message=message,
            )
            last = self._write(current)
        return last

    def _pick(self, onto: Commit, oid: Oid, parent: Oid) -> str:
        """The tree that holds a commit's change on top of another tree.

        The other tree is given the commit's own parent, for a moment: then that parent is the
        merge base, which older git cannot be told in another way.
        """
        beside = evolve(onto, parents=(parent,), message="anabranch\n")
        return self._tree(self._write(beside), oid)

    def move(self, branch: str, before: Oid, after: Oid) -> bool:
        """Compare-and-swap of a branch; whether it still was where it was expected."""
        if before == after:
            return True
        ref = f"refs/heads/{branch}"
        moved = self.git.attempt("update-ref", "-m", "anabranch: merge", ref, after, before)
        if moved.code != 0 and _MOVED.search(moved.stderr) is None:
            raise GitError(moved)
        return moved.code == 0

    def _tree(self, ours: Oid, theirs: Oid) -> str:
        output = self.git.attempt("merge-tree", "--write-tree", "-z", "--messages", ours, theirs)
        if output.code not in {0, 1}:
            raise GitError(output)
        merged = parse_merge(output.stdout)
        if output.code == 1:
            raise self._conflict(merged)
        return merged.tree

    def _conflict(self, merged: MergedTree) -> Unmerged:
        conflicts = tuple(map(self._with_sides, merged.clashes))
        names = ", ".join(conflict.path for conflict in conflicts[:3])
        more = f" and {len(conflicts) - 3} more" if len(conflicts) > 3 else ""  # noqa: PLR2004
        return Unmerged(MergeFault.CONFLICT, f"conflict in {names}{more}", conflicts)

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
        if side.mode == _SUBMODULE:
            return side.oid.encode()
        return self.git.run("cat-file", "blob", side.oid).stdout

    def _names(self) -> tuple[bytes, bytes]:
        """Author and committer, at this moment."""
        return (
            self.git.run("var", "GIT_AUTHOR_IDENT").stdout.rstrip(b"\n"),
            self.git.run("var", "GIT_COMMITTER_IDENT").stdout.rstrip(b"\n"),
        )

    def _read(self, oid: Oid) -> Commit:
        return Commit.parse(self.git.run("cat-file", "commit", oid).stdout)

    def _write(self, commit: Commit) -> Oid:
        data = commit.to_bytes()
        return Oid(self.git.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=data).text)


def unknown(branch: str) -> Unmerged:
    """The answer for a revision that does not exist."""
    return Unmerged(MergeFault.UNKNOWN_REVISION, f"no such revision: {branch}")
