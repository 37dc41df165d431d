"""Bringing a worktree of ours forward to a later commit, with nothing in it lost.

Git's own commands either refuse because of one file in the way, or overwrite it. Here what
already is what lands there is taken as it is; what differs is renamed to a name beside it;
everything else stays untouched. The order of the steps makes a second try after a `kill -9`
find what it needs: the commit moves last, and the git directory of the tree says that the way
was begun. For a git that is killed leaves the file that it was writing torn: it holds the
beginning of what lands there. In a second try such a file gets the rest of it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from attrs import evolve

from anabranch.environment import Advance, Oid, Worktree, WorktreeFault
from anabranch.services.git.diffs import ABSENT
from anabranch.services.git.faults import Refused
from anabranch.services.git.files import replace_file
from anabranch.services.git.runner import Git, GitError
from anabranch.services.git.torn import differs, mended
from anabranch.services.git.ways import Landing, Way, survey

_SAVED: Final = ".anabranch-saved"
_BEGUN: Final = "anabranch-advance"
"""The file in the git directory of a tree that names the commit that it is on its way to."""


def advance(git: Git, worktree: Worktree, commit: Oid) -> Advance:
    """Bring the tree that `git` runs in forward to `commit`."""
    head = Oid(git.run("rev-parse", "--verify", "HEAD").text)
    after = evolve(worktree, base=commit)
    begun = Path(git.run("rev-parse", "--path-format=absolute", "--git-path", _BEGUN).text)
    if head == commit:
        begun.unlink(missing_ok=True)
        return Advance(worktree=after)
    _require_descendant(git, head, commit)
    way = survey(git, head, commit)
    if begun.is_file() and begun.read_text() == commit:
        way = mended(git, way)
    saved = tuple(_save(git.directory, way.obstacles))
    replace_file(str(begun), commit.encode())
    _go(git, head, commit, way)
    begun.unlink()
    return Advance(worktree=after, saved=saved)


def complete(git: Git, head: Oid, commit: Oid) -> bool:
    """Finish what was begun and interrupted: bring a tree from `head` to `commit`.

    Returns:
        `False`, with nothing done, if anything is in the way that is not what lands there.
    """
    way = mended(git, survey(git, head, commit), wholly=True)
    if differs(git, way):
        return False
    _go(git, head, commit, way)
    return True


def _require_descendant(git: Git, head: str, commit: Oid) -> None:
    found = git.attempt("merge-base", "--is-ancestor", head, commit)
    if found.code == 1:
        message = f"it has commits that {commit[:12]} does not hold: {head[:12]}"
        raise Refused(WorktreeFault.DIVERGED, message)
    if found.code != 0:
        raise GitError(found)


def _go(git: Git, head: Oid, commit: Oid, way: Way) -> None:
    """Write the files, then the index, then move the branch or the detached `HEAD`."""
    _prepare_index(git, way)
    start = _with_landed(git, head, (way.landings[path] for path in way.same))
    git.run("read-tree", "-m", "-u", start, commit)
    git.run("update-ref", "-m", "anabranch: advance", "HEAD", commit, head)
    git.attempt("update-index", "-q", "--refresh")


def _save(tree: str, occupants: Iterable[str]) -> Iterator[tuple[str, str]]:
    for path in sorted(occupants):
        if os.path.lexists(os.path.join(tree, path)):
            beside = _free_name(tree, f"{path}{_SAVED}")
            os.rename(os.path.join(tree, path), os.path.join(tree, beside))
            yield path, beside


def _free_name(tree: str, name: str) -> str:
    number, free = 1, name
    while os.path.lexists(os.path.join(tree, free)):
        number += 1
        free = f"{name}-{number}"
    return free


def _prepare_index(git: Git, way: Way) -> None:
    """Make the index agree with one of the two commits on every path that differs in them."""
    entries = {
        path: way.landings[path].new if path in way.same else way.landings[path].old
        for path in way.occupied
    }
    above = tuple(f"{path}/" for path in way.obstacles)
    for path in way.changed:
        if path in way.obstacles or path.startswith(above):
            entries.setdefault(path, (ABSENT, "0" * 40))
    _put_entries(git, entries)


def _put_entries(git: Git, entries: dict[str, tuple[str, str]]) -> None:
    """Set entries of the index; those that go first, since others may need their place."""
    ordered = sorted(entries.items(), key=lambda item: item[1][0] != ABSENT)
    lines = (f"{mode} {blob}\t{path}\0" for path, (mode, blob) in ordered)
    git.run("update-index", "-z", "--index-info", stdin=os.fsencode("".join(lines)))


def _with_landed(git: Git, head: str, landed: Iterable[Landing]) -> str:
    """The tree of `head` with some landings in it: those that the working tree has already."""
    entries = {land.path: land.new for land in landed}
    if not entries:
        return head
    with tempfile.TemporaryDirectory() as above:
        aside = git.with_environ({"GIT_INDEX_FILE": os.path.join(above, "index")})
        aside.run("read-tree", head)
        _put_entries(aside, entries)
        return aside.run("write-tree").text
