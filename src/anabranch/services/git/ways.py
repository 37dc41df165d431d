"""What lies between a working tree and a later commit, path by path.

Every path on the way is looked at. What already is what would land there is no obstacle; what
differs is one, whether git knows the file, does not, or ignores it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from attrs import frozen

from anabranch.services.git.changes import blob_id
from anabranch.services.git.diffs import ABSENT
from anabranch.services.git.pristine import files_in
from anabranch.services.git.runner import Git, paths

_LINK: Final = "120000"
_SUBMODULE: Final = "160000"
_SPECIAL: Final = "special"
"""What git knows no mode for: a pipe, a socket, a device."""


@frozen(kw_only=True)
class Landing:
    """A path that differs between the two commits: mode and object in each."""

    path: str
    old: tuple[str, str]
    new: tuple[str, str]


@frozen(kw_only=True)
class Way:
    """The way from one commit to another in a tree.

    Attributes:
        landings: what differs between the two, by path.
        changed: tracked paths at which the tree or the index is not what the first commit has.
        occupied: landings that git could not simply write, with what is in the tree instead:
            the path itself, or a file where one of its directories would be.
        same: those of them that already are what lands there.
    """

    landings: dict[str, Landing]
    changed: frozenset[str]
    occupied: dict[str, str]
    same: frozenset[str]

    @property
    def obstacles(self) -> tuple[str, ...]:
        """What is in the way, sorted."""
        return tuple(sorted({self.occupied[path] for path in self.differing}))

    @property
    def differing(self) -> frozenset[str]:
        """The landings at which something else is than what lands there."""
        return frozenset(self.occupied.keys() - self.same)

    def blocking(self, tree: str) -> list[str]:
        """What is there and would be lost, sorted: in the way itself, or tracked beside it.

        Where a file is to come or to go, git takes what was staged below that path for its own.
        """
        beside = {path for path in self.changed - self.same if self._is_beside(path)}
        found = sorted(beside.union(self.obstacles))
        return [path for path in found if os.path.lexists(os.path.join(tree, path))]

    def _is_beside(self, path: str) -> bool:
        return any(above in self.landings for above in map(str, PurePosixPath(path).parents))

    def is_gone(self, tree: str, path: str) -> bool:
        """Whether a file that was at a path is not there, nor anything in its place."""
        return self.occupied[path] == path and not os.path.lexists(os.path.join(tree, path))


@frozen(kw_only=True)
class Torn:
    """A file that holds the beginning of what lands at its path.

    Attributes:
        path: where.
        size: how much of it there was.
        rest: what it lacks.
    """

    path: str
    size: int
    rest: bytes


def survey(git: Git, head: str, commit: str) -> Way:
    """Look at the tree that `git` runs in, on its way from `head` to `commit`."""
    landings = {land.path: land for land in _landings(git, head, commit)}
    changed = _changed(git)
    occupied = dict(_occupied(git.directory, landings, changed))
    same = _identical(git, [landings[path] for path in occupied])
    return Way(landings=landings, changed=changed, occupied=occupied, same=same)


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
        path for path, land in landings.items() if land.old[0] != ABSENT and path not in changed
    }
    for path, land in landings.items():
        there = _occupant(tree, path)
        if path in changed or _is_full_submodule(tree, land):
            yield path, there or path
        elif land.old[0] == ABSENT and there is not None and there not in leaving:
            full = os.path.join(tree, there)
            if not _is_directory(full) or not leaving.issuperset(files_in(tree, there)):
                yield path, there


def _is_full_submodule(tree: str, land: Landing) -> bool:
    """Whether a file is to land where a submodule has its files, all of which git would delete."""
    replaced = land.old[0] == _SUBMODULE and land.new[0] not in {_SUBMODULE, ABSENT}
    full = os.path.join(tree, land.path)
    return replaced and _is_directory(full) and bool(os.listdir(full))


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
    files = [land for land in wanted if land.new[0] not in {_LINK, _SUBMODULE, ABSENT}]
    listed = "".join(f"{_quoted(land.path)}\n" for land in files)
    hashed = git.run("hash-object", "--stdin-paths", stdin=os.fsencode(listed)).text.split()
    blobs = {land.path: blob for land, blob in zip(files, hashed, strict=True)}
    return frozenset(
        land.path
        for land in wanted
        if blobs.get(land.path, _link_blob(git.directory, land)) == land.new[1]
    )


def torn_at(git: Git, land: Landing) -> Torn | None:
    """The file at a path, if it holds the beginning of what lands there."""
    if land.new[0] in {_LINK, _SUBMODULE, ABSENT} or land.new[0] != _mode(git.directory, land):
        return None
    there = Path(git.directory, land.path).read_bytes()
    whole = git.run("cat-file", "--filters", f"--path={land.path}", land.new[1]).stdout
    if not whole.startswith(there):
        return None
    return Torn(path=land.path, size=len(there), rest=whole[len(there) :])


def _mode(tree: str, land: Landing) -> str:
    """What git would call the file that is there now."""
    try:
        found = os.lstat(os.path.join(tree, land.path)).st_mode
    except OSError:
        return ABSENT
    if stat.S_ISLNK(found):
        return _LINK
    if stat.S_ISDIR(found):
        return ABSENT if land.new[0] == ABSENT else _SUBMODULE
    if not stat.S_ISREG(found):
        return _SPECIAL
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
