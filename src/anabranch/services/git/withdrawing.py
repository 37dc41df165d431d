"""Taking back what git had begun to write when it could not go on.

A fast-forward writes files, then the index, then moves the branch. Git looks for what is in the way
before it writes anything, but it stops in the middle if a filter fails, the disk is full, or a hook
or a lock keeps the branch from moving. Only what was as `HEAD` has it before, and is now what was
to land, is brought back: everything else is somebody else's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from anabranch.environment import Oid
from anabranch.services.git.diffs import ABSENT
from anabranch.services.git.runner import Git, GitError, paths
from anabranch.services.git.ways import Way, survey, torn_at


def withdraw(git: Git, head: Oid, commit: Oid, before: Way) -> None:
    """Bring the tree that `git` runs in back, if it still is at `head`.

    Args:
        git: runs in the tree.
        head: where it was.
        commit: where it was to go.
        before: what lay in the way.
    """
    clear = before.landings.keys() - before.occupied.keys()
    if not clear or git.attempt("rev-parse", "HEAD").text != head:
        return
    differing = git.run("diff-index", "--cached", "-z", "--name-only", commit, "--").stdout
    if clear.isdisjoint(paths(differing)):
        git.attempt("read-tree", "-m", "-u", commit, head)
    else:
        _put_back(git, before, _written(git, head, commit) & clear)
    git.attempt("update-index", "-q", "--refresh")


def _written(git: Git, head: Oid, commit: Oid) -> frozenset[str]:
    """The paths at which there is what was to land, or the beginning of it."""
    now = survey(git, head, commit)
    there = {path for path in now.differing if now.occupied[path] == path}
    gone = {path for path in there if now.is_gone(git.directory, path)}
    return now.same | gone | {path for path in there - gone if _is_torn(git, now, path)}


def _is_torn(git: Git, way: Way, path: str) -> bool:
    with suppress(GitError, OSError):
        return torn_at(git, way.landings[path]) is not None
    return False


def _put_back(git: Git, way: Way, written: Iterable[str]) -> None:
    ordered = sorted(written)
    for path in ordered:
        _remove(git.directory, path)
    before = (path for path in ordered if way.landings[path].old[0] != ABSENT)
    listed = os.fsencode("".join(f"{path}\0" for path in before))
    git.attempt("checkout-index", "--force", "-u", "-z", "--stdin", stdin=listed)


def _remove(tree: str, path: str) -> None:
    """Remove a file, and the directories above it that are empty then."""
    with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
        os.unlink(os.path.join(tree, path))
    with suppress(OSError):
        while path := os.path.dirname(path):
            os.rmdir(os.path.join(tree, path))
