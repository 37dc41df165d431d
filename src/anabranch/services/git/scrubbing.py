"""Bringing a slot back to what it was: its tree, and git's directory for it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import frozen

from anabranch.environment import WorktreeFault
from anabranch.services.git.faults import Refused
from anabranch.services.git.files import TURNED, cut_file, read_file, replace_file, turn_file
from anabranch.services.git.pristine import Differences, Record
from anabranch.services.git.removal import erase, mount_points_below
from anabranch.services.git.runner import Git
from anabranch.services.git.trees import Tree

_LINK: Final = ".git"
_INDEX: Final = "index"
_KEPT_INDEX: Final = "anabranch-index"
_TURNING: Final = ("HEAD", "locked", _INDEX)
_CHANGING: Final = frozenset({*_TURNING, *(name + TURNED for name in _TURNING), _KEPT_INDEX})
"""What each use of a slot writes anew, at the top of the directory."""


@frozen
class AdminRecord:
    """Git's directory for a worktree, but for the files that change.

    Attributes:
        files: for each directory in it, by its path, what the files hold; `None` is a directory.
    """

    files: dict[str, dict[str, bytes | None]]

    @classmethod
    def of(cls, admin: str) -> AdminRecord:
        """Record it as it is now."""
        keep_index(admin)
        return cls(dict(_recorded(admin)))

    def restore(self, admin: str) -> None:
        """Remove what was not there, and write again what is not as it was."""
        for path, files in self.files.items():
            _put_all_back(os.path.join(admin, path), files, frozenset() if path else _CHANGING)
        turn_file(os.path.join(admin, _INDEX), read_file(os.path.join(admin, _KEPT_INDEX)))


def _recorded(admin: str) -> Iterator[tuple[str, dict[str, bytes | None]]]:
    for above, folders, files in os.walk(admin):
        path = "" if above == admin else os.path.relpath(above, admin)
        names = set(files) - (frozenset() if path else _CHANGING)
        held = {name: Path(above, name).read_bytes() for name in names}
        yield path, {**dict.fromkeys(folders), **held}


def _put_all_back(directory: str, files: dict[str, bytes | None], but: frozenset[str]) -> None:
    """Bring one directory back, but for some names; the directories in it are there then."""
    kept = set[str]()
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name in but:
                continue
            if _is_as_known(entry, files):
                kept.add(entry.name)
            else:
                erase(entry.path)
    for name, data in files.items():
        path = os.path.join(directory, name)
        if data is not None:
            _put_back(path, data, there=name in kept)
        elif name not in kept:
            os.mkdir(path)


def _is_as_known(entry: os.DirEntry[str], files: dict[str, bytes | None]) -> bool:
    """Whether there was one of that name, and of the same kind."""
    if entry.name not in files:
        return False
    is_file = files[entry.name] is not None
    return entry.is_file(follow_symlinks=False) if is_file else entry.is_dir(follow_symlinks=False)


def _put_back(path: str, data: bytes, *, there: bool) -> None:
    """Give a file the content that it had; most often something was only added to it."""
    now = read_file(path) if there else None
    if now == data:
        return
    if now is not None and now.startswith(data):
        cut_file(path, len(data))
    else:
        replace_file(path, data)


def keep_index(admin: str) -> None:
    """Set a copy of the index aside, from which it is restored."""
    shutil.copyfile(os.path.join(admin, _INDEX), os.path.join(admin, _KEPT_INDEX))


def restore_tree(git: Git, tree: Tree, record: Record) -> None:
    """Bring a working tree back to its record.

    Arguments:
        git: runs in the tree, whose index has been restored.
        tree: what to bring back.
        record: what it was; files that are written again are recorded anew.
    """
    found = record.differences(tree.path)
    if found:
        _remove(tree, found)
        _make_directories(tree, found)
        _rewrite(git, tree, record, found.damaged)


def _remove(tree: Tree, found: Differences) -> None:
    extra = [os.path.join(tree.path, path) for path in found.extra]
    mounted = mount_points_below(tree.path) if any(map(os.path.isdir, extra)) else []
    if mounted:
        raise Refused(WorktreeFault.LOCKED, f"something is mounted inside: {mounted[0]}")
    for path in extra:
        erase(path)


def _make_directories(tree: Tree, found: Differences) -> None:
    for path, mode in found.directories:
        full = os.path.join(tree.path, path)
        os.makedirs(full, exist_ok=True)
        os.chmod(full, stat.S_IMODE(mode))


def _rewrite(git: Git, tree: Tree, record: Record, damaged: list[str]) -> None:
    files = [path for path in damaged if path != _LINK]
    if len(files) < len(damaged):
        replace_file(os.path.join(tree.path, _LINK), os.fsencode(f"gitdir: {tree.admin}\n"))
    if files:
        for path in files:
            # Git does not write what looks to it as it was, and it counts in whole seconds.
            erase(os.path.join(tree.path, path))
        listed = os.fsencode("".join(f"{path}\0" for path in files))
        git.run("checkout-index", "--force", "-u", "-z", "--stdin", stdin=listed)
        keep_index(tree.admin)
    for path in damaged:
        record.note(tree.path, path)
