"""A conflict laid out in a worktree, for somebody to resolve; and what they made of it, checked.

Git itself makes the merge in the worktree, so that whoever resolves it finds what they know:
markers in the files, both sides in the index, `MERGE_HEAD`. What comes back is taken only if
every conflict was dealt with: no file has a marker that was not in one of the sides, and none
is exactly as git left it (of a binary file that would be one of the sides, by accident).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from attrs import frozen

from anabranch.environment import Conflict, Merge, MergeFault, MergeRequest, Worktree
from anabranch.services.git.admin import admin_of
from anabranch.services.git.faults import Unmerged
from anabranch.services.git.files import replace_file
from anabranch.services.git.merging import Merger
from anabranch.services.git.pristine import digest
from anabranch.services.git.runner import Git, GitError

_NOTE: Final = "anabranch-conflicts"
_MARKER: Final = re.compile(rb"(?:<{7,}|>{7,}|\|{7,})(?: .*)?")
_SHOWN: Final = 3

_PLAINLY: Final = (
    ("rerere.enabled", "false"),
    ("advice.mergeConflict", "false"),
    ("branch.HEAD.mergeOptions", ""),
)
"""A merge without what the user has set for merges of their own."""


@frozen(kw_only=True)
class Resolver:
    """Lays out conflicts and takes resolutions.

    Attributes:
        git: for worktrees of ours.
        merger: of the repository.
    """

    git: Git
    merger: Merger

    def lay_out(self, request: MergeRequest, worktree: Worktree) -> tuple[str, ...]:
        """Merge in a worktree that is at the target, and leave it there; the conflicting paths."""
        git = self.git.at(worktree.path).with_config(*_PLAINLY)
        options = ("--no-commit", "--no-ff", "--no-verify", "--no-edit", "--no-verify-signatures")
        merged = git.attempt("merge", *options, request.source)
        listed = git.run("diff", "--name-only", "--diff-filter=U", "-z").stdout
        paths = tuple(os.fsdecode(path) for path in listed.split(b"\0")[:-1])
        if merged.code != 0 and not paths:
            raise GitError(merged)
        left = {path: _look(worktree.path, path) for path in paths}
        replace_file(_note(worktree), json.dumps(left).encode())
        return paths

    def conclude(
        self, request: MergeRequest, worktree: Worktree, conflicts: Iterable[Conflict]
    ) -> Merge:
        """Make what somebody left in the worktree the merge, and move the target to it."""
        left: dict[str, str] = json.loads(Path(_note(worktree)).read_bytes())
        git = self.git.at(worktree.path)
        sides = {conflict.path: (conflict.ours, conflict.theirs) for conflict in conflicts}
        unresolved = sorted(_unresolved(git, worktree, left, sides))
        if unresolved:
            more = f" and {len(unresolved) - _SHOWN} more" if len(unresolved) > _SHOWN else ""
            message = f"still in conflict: {', '.join(unresolved[:_SHOWN])}{more}"
            clashes = tuple(Conflict(path=path) for path in unresolved)
            raise Unmerged(MergeFault.CONFLICT, message, clashes)
        return self.merger.adopt(request, worktree.base, self._tree(git, worktree, left))

    def _tree(self, git: Git, worktree: Worktree, left: dict[str, str]) -> str:
        """The tree of what is there: committed, staged, or only written."""
        listed = os.fsencode("".join(f"{path}\0" for path in left))
        git.run("add", "--update", "--", ".")
        add = ("add", "--all", "--force", "--pathspec-from-file=-", "--pathspec-file-nul")
        git.with_environ({"GIT_LITERAL_PATHSPECS": "1"}).attempt(*add, stdin=listed)
        if not _is_merged(git, worktree):
            raise Unmerged(MergeFault.CONFLICT, "the merge was given up in the worktree")
        return git.run("write-tree").text


def _is_merged(git: Git, worktree: Worktree) -> bool:
    """Whether the merge is still under way, or was committed: not if it was aborted."""
    under_way = git.attempt("rev-parse", "--verify", "--quiet", "MERGE_HEAD").code == 0
    return under_way or git.run("rev-parse", "HEAD").text != worktree.base


def _unresolved(
    git: Git,
    worktree: Worktree,
    left: dict[str, str],
    sides: dict[str, tuple[bytes | None, bytes | None]],
) -> Iterator[str]:
    unmerged = git.run("diff", "--name-only", "--diff-filter=U", "-z").stdout.split(b"\0")
    for path, was in left.items():
        untouched = _look(worktree.path, path) == was and os.fsencode(path) in unmerged
        if untouched or _has_markers(worktree.path, path, sides.get(path, (None, None))):
            yield path


def _has_markers(top: str, path: str, sides: tuple[bytes | None, bytes | None]) -> bool:
    """Whether a file has a line of git's markers that none of the sides had."""
    full = os.path.join(top, path)
    if os.path.islink(full) or not os.path.isfile(full):
        return False
    known = {line for side in sides if side is not None for line in side.splitlines()}
    lines = Path(full).read_bytes().splitlines()
    return any(_MARKER.fullmatch(line) and line not in known for line in lines)


def _look(top: str, path: str) -> str:
    """What is at a path; empty if nothing is."""
    full = os.path.join(top, path)
    if not os.path.lexists(full) or (os.path.isdir(full) and not os.path.islink(full)):
        return ""
    return digest(full).hex()


def _note(worktree: Worktree) -> str:
    admin = admin_of(worktree.path)
    if admin is None:
        raise Unmerged(MergeFault.GIT, f"no worktree of ours: {worktree.path}")
    return os.path.join(admin, _NOTE)
