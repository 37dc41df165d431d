"""Bringing a worktree of ours forward to a later commit, with nothing in it lost.

Git's own commands either refuse because of one file in the way, or overwrite it. Here every
path on the way to the commit is looked at first. What already is what lands there is taken as
it is; what differs is renamed to a name beside it; everything else stays untouched. The order
of the steps makes a second try after a `kill -9` find what it needs: the commit moves last.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from typing import Final

from attrs import evolve, frozen

from anabranch.environment import Advance, Oid, Worktree, WorktreeFault
from anabranch.services.git.changes import blob_id
from anabranch.services.git.faults import Refused
from anabranch.services.git.pristine import files_in
from anabranch.services.git.runner import Git, GitError, paths

_ABSENT: Final = "000000"
_LINK: Final = "120000"
_SUBMODULE: Final = "160000"
_SAVED: Final = ".anabranch-saved"


@frozen(kw_only=True)
class Landing:
    """A path that differs between the two commits: mode and object in each."""

    path: str
    old: tuple[str, str]
    new: tuple[str, str]


def advance(git: Git, worktree: Worktree, commit: Oid) -> Advance:
    """Bring the tree that `git` runs in forward to `commit`."""
    head = git.run("rev-parse", "--verify", "HEAD").text
    after = evolve(worktree, base=commit)
    if head == commit:
        return Advance(worktree=after)
    _require_descendant(git, head, commit)
    landings = {land.path: land for land in _landings(git, head, commit)}
    changed = _changed(git)
    occupied = dict(_occupied(git.directory, landings, changed))
    same = _identical(git, [landings[path] for path in occupied])
    saved = tuple(_save(git.directory, {occupied[path] for path in occupied.keys() - same}))
    _prepare_index(git, landings, occupied, same, changed)
    start = _with_landed(git, head, (landings[path] for path in same))
    git.run("read-tree", "-m", "-u", start, commit)
    git.run("update-ref", "-m", "anabranch: advance", "HEAD", commit, head)
    git.attempt("update-index", "-q", "--refresh")
    return Advance(worktree=after, saved=saved)


def _require_descendant(git: Git, head: str, commit: Oid) -> None:
    found = git.attempt("merge-base", "--is-ancestor", head, commit)
    if found.code == 1:
        message = f"it has commits that {commit[:12]} does not hold: {head[:12]}"
        raise Refused(WorktreeFault.DIVERGED, message)
    if found.code != 0:
        raise GitError(found)


def _landings(git: Git, head: str, commit: str) -> Iterator[Landing]:
    output = git.run("diff-tree", "-r", "-z", "--raw", "--no-renames", head, commit)
    fields = iter(output.stdout.split(b"\0")[:-1])
    for found in fields:
        old_mode, new_mode, old, new, _ = found.decode().removeprefix(":").split(" ")
        yield Landing(path=os.fsdecode(next(fields)), old=(old_mode, old), new=(new_mode, new))


def _changed(git: Git) -> frozenset[str]:
    """Tracked paths whose file or index entry is not what `HEAD` has."""
    git.attempt("update-index", "-q", "--refresh")
    return frozenset(paths(git.run("diff-index", "-z", "--name-only", "HEAD").stdout))


def _occupied(
    tree: str, landings: dict[str, Landing], changed: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Pairs of a path that git could not simply write, and what is there in the tree."""
    leaving = {
        path for path, land in landings.items() if land.old[0] != _ABSENT and path not in changed
    }
    for path, land in landings.items():
        there = _occupant(tree, path)
        if path in changed:
            yield path, there or path
        elif land.old[0] == _ABSENT and there is not None and there not in leaving:
            full = os.path.join(tree, there)
            if not _is_directory(full) or not leaving.issuperset(files_in(tree, there)):
                yield path, there


def _occupant(tree: str, path: str) -> str | None:
    """What is at a path: itself, or a file where one of its directories would be."""
    parts = path.split("/")
    for length in range(1, len(parts)):
        above = "/".join(parts[:length])
        full = os.path.join(tree, above)
        if os.path.lexists(full) and not _is_directory(full):
            return above
    return path if os.path.lexists(os.path.join(tree, path)) else None


def _is_directory(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _identical(git: Git, touched: Iterable[Landing]) -> frozenset[str]:
    """The paths that already hold what lands there, as git would store it."""
    wanted = [land for land in touched if land.new[0] == _mode(git.directory, land)]
    files = [land for land in wanted if land.new[0] not in {_LINK, _SUBMODULE, _ABSENT}]
    listed = "".join(f"{_quoted(land.path)}\n" for land in files)
    hashed = git.run("hash-object", "--stdin-paths", stdin=os.fsencode(listed)).text.split()
    blobs = {land.path: blob for land, blob in zip(files, hashed, strict=True)}
    return frozenset(
        land.path
        for land in wanted
        if blobs.get(land.path, _link_blob(git.directory, land)) == land.new[1]
    )


def _mode(tree: str, land: Landing) -> str:
    """What git would call the file that is there now."""
    try:
        found = os.lstat(os.path.join(tree, land.path)).st_mode
    except OSError:
        return _ABSENT
    if stat.S_ISLNK(found):
        return _LINK
    if stat.S_ISDIR(found):
        return _ABSENT if land.new[0] == _ABSENT else _SUBMODULE
    return "100755" if found & stat.S_IXUSR else "100644"


def _link_blob(tree: str, land: Landing) -> str:
    """The blob of a symbolic link; what is no file and no link has nothing to compare."""
    if land.new[0] != _LINK:
        return land.new[1]
    text = os.fsencode(os.readlink(os.path.join(tree, land.path)))
    return blob_id(text, len(land.new[1]))


def _quoted(path: str) -> str:
    """A path as a line of input, in git's C-like quotes where it needs them."""
    if "\n" not in path and not path.startswith('"'):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


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


def _prepare_index(
    git: Git,
    landings: dict[str, Landing],
    occupied: dict[str, str],
    same: frozenset[str],
    changed: frozenset[str],
) -> None:
    """Make the index agree with one of the two commits on every path that differs in them."""
    entries = {
        path: landings[path].new if path in same else landings[path].old for path in occupied
    }
    away = [there for path, there in occupied.items() if path not in same]
    staged = (path for path in changed if any(path == a or path.startswith(f"{a}/") for a in away))
    for path in staged:
        entries.setdefault(path, (_ABSENT, "0" * 40))
    _put_entries(git, entries)


def _put_entries(git: Git, entries: dict[str, tuple[str, str]]) -> None:
    """Set entries of the index; those that go first, since others may need their place."""
    ordered = sorted(entries.items(), key=lambda item: item[1][0] != _ABSENT)
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
