"""Trees laid over a template by the kernel (overlayfs): only what changes is stored.

Making one costs a millisecond, however many files it shows, and so does bringing it back to what
it was: what was written lies in a directory of its own, which is taken away. It needs the right
to mount. What git compares (inode, times, size) is that of the template until a file is changed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import frozen

from anabranch.services.git.files import read_file, replace_file
from anabranch.services.git.removal import delete, erase, mount_points_below, mounts, put_away
from anabranch.services.git.trees import Tree

_OPTIONS: Final = "redirect_dir=on,index=off,metacopy=off"
_UNSPEAKABLE: Final = frozenset(",:\\")
_DETACH: Final = 2
_MANY: Final = 500
_HARMLESS: Final = frozenset(f"trusted.overlay.{mark}" for mark in ("impure", "origin", "uuid"))
"""What the kernel notes on directories that are only shown together with those below."""


@frozen(kw_only=True)
class Layers:
    """What makes up a tree that is laid over another.

    Attributes:
        lower: the template's files; nobody may change them.
        tree: where both are seen as one.
        trash: a directory on the same file system for what is no longer needed.
    """

    lower: str
    tree: Tree
    trash: str

    def lay(self) -> None:
        """Mount the tree, as the template is."""
        above = layers_of(self.tree.path)
        upper, work = os.path.join(above, "upper"), os.path.join(above, "work")
        os.makedirs(upper)
        os.mkdir(work)
        _mount(self.tree.path, f"lowerdir={self.lower},upperdir={upper},workdir={work},{_OPTIONS}")
        link = os.fsencode(f"gitdir: {self.tree.admin}\n")
        replace_file(os.path.join(self.tree.path, ".git"), link)

    def cleared(self) -> bool:
        """Bring the tree back to what the template is, if that takes no more than to delete.

        The mount stays, and with it what the kernel remembers of the files: looking at each of
        them for the first time is what a large tree costs most.
        """
        link = os.fsencode(f"gitdir: {self.tree.admin}\n")
        upper = os.path.join(layers_of(self.tree.path), "upper")
        added = _added(upper, self.lower, link)
        if added is None or len(added) > _MANY:
            return False
        paths = [os.path.join(self.tree.path, path) for path in added]
        if any(map(os.path.isdir, paths)) and mount_points_below(self.tree.path):
            return False
        for path in paths:
            erase(path)
        return not any(map(os.path.lexists, paths))

    def renew(self) -> None:
        """Bring the tree back to what the template is, whatever was done to it."""
        unmount(self.tree.path)
        old = put_away(layers_of(self.tree.path), self.trash)
        self.lay()
        if old is not None:
            delete(old)

    def touched(self, most: int) -> frozenset[str] | None:
        """The paths at which there is something else than in the template.

        Arguments:
            most: more than so many are not told; nor is what has moved with its directory.
        """
        found = set[str]()
        for path in _written(os.path.join(layers_of(self.tree.path), "upper"), self.lower):
            if path is None or len(found) > most:
                return None
            found.add(path)
        return frozenset(found) - {".git"}


def layers_of(path: str) -> str:
    """Where the layers of a tree are: beside it."""
    above, name = os.path.split(path)
    return os.path.join(above, f".{name}")


def is_torn(path: str) -> bool:
    """Whether a tree has layers that are not mounted, as after a restart of the machine."""
    return os.path.isdir(os.path.join(layers_of(path), "upper")) and not is_laid(path)


def carries(path: str) -> bool:
    """Whether trees are laid over the one at a path."""
    return any(
        mount.kind == "overlay" and f"lowerdir={path}" in mount.options for mount in mounts()
    )


def is_laid(path: str) -> bool:
    """Whether an overlay is mounted at a path."""
    return any(mount.point == path and mount.kind == "overlay" for mount in mounts())


def unmount(path: str) -> None:
    """Take a mount away, also if a process still uses it: that one keeps what it sees."""
    if _libc().umount2(os.fsencode(path), _DETACH) != 0:
        number = ctypes.get_errno()
        if number != errno.EINVAL:
            raise OSError(number, os.strerror(number), path)


def overlay_problem(directory: str) -> str | None:
    """Why trees in a directory cannot be laid over each other; `None` if they can.

    Arguments:
        directory: an existing one, in which something is tried out.
    """
    if not _UNSPEAKABLE.isdisjoint(directory):
        return "the path has characters that mounts give a meaning to"
    try:
        with tempfile.TemporaryDirectory(dir=directory, prefix=".probe-") as above:
            return _tried(above)
    except OSError as error:
        return os.strerror(error.errno) if error.errno else str(error)


def _tried(above: str) -> str | None:
    lower, tree = Path(above, "lower"), Path(above, "tree")
    (lower / "directory").mkdir(parents=True)
    (lower / "file").touch()
    tree.mkdir()
    layers = Layers(lower=str(lower), tree=Tree(path=str(tree), admin=""), trash=above)
    layers.lay()
    try:
        one, other = ((top / "file").lstat() for top in (lower, tree))
        if (one.st_ino, one.st_ctime_ns) != (other.st_ino, other.st_ctime_ns):
            return "inodes change with a mount"
        (tree / "directory").rename(tree / "renamed")
    finally:
        unmount(str(tree))
    return None


def _written(upper: str, lower: str) -> Iterator[str | None]:
    """Paths in the upper layer; `None` where a path does not tell all."""
    for above, folders, files in os.walk(upper):
        inside = os.path.relpath(above, upper)
        for name in folders:
            if _hides(os.path.join(above, name), os.path.join(lower, inside, name)):
                yield None
        links = (name for name in folders if os.path.islink(os.path.join(above, name)))
        for name in (*files, *links):
            path = name if inside == "." else f"{inside}/{name}"
            gone = stat.S_ISCHR(os.lstat(os.path.join(above, name)).st_mode)
            below = os.path.join(lower, path)
            over = os.path.isdir(below) and not os.path.islink(below)
            yield None if over or (gone and not os.path.lexists(below)) else path


def _added(upper: str, lower: str, link: bytes) -> list[str] | None:
    """What is in the upper layer and not in the lower one, and no path inside of another.

    `None` if anything in the lower layer is hidden, or shows as something else than it is; but for
    `.git`, which has a text of its own.
    """
    found, pending = list[str](), [""]
    while pending:
        inside = pending.pop()
        if not _is_like(os.path.join(upper, inside), os.path.join(lower, inside)):
            return None
        with os.scandir(os.path.join(upper, inside)) as entries:
            for entry in entries:
                path = os.path.join(inside, entry.name)
                below = os.path.join(lower, path)
                is_directory = entry.is_dir(follow_symlinks=False)
                plain = is_directory or entry.is_file(follow_symlinks=False) or entry.is_symlink()
                if plain and not os.path.lexists(below):
                    found.append(path)
                elif is_directory:
                    pending.append(path)
                elif (
                    path != ".git"
                    or not _is_like(entry.path, below)
                    or read_file(entry.path) != link
                ):
                    return None
    return found


def _is_like(path: str, below: str) -> bool:
    """Whether two are of one kind and one owner, and may be used alike."""
    one, other = os.lstat(path), os.lstat(below)
    alike = (one.st_mode, one.st_uid, one.st_gid) == (other.st_mode, other.st_uid, other.st_gid)
    return alike and _HARMLESS.issuperset(os.listxattr(path, follow_symlinks=False))


def _hides(directory: str, below: str) -> bool:
    """Whether a directory is not merged with the one below it, but shows something else."""
    return _is_marked(directory, "redirect") or (
        os.path.lexists(below) and _is_marked(directory, "opaque")
    )


def _is_marked(directory: str, mark: str) -> bool:
    with suppress(OSError):
        os.getxattr(directory, f"trusted.overlay.{mark}", follow_symlinks=False)
        return True
    return False


def _mount(point: str, options: str) -> None:
    done = _libc().mount(b"overlay", os.fsencode(point), b"overlay", 0, os.fsencode(options))
    if done != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), point)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
