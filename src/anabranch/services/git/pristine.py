"""What a freshly checked out tree looks like to `lstat`, and what has become of it since.

A file whose inode, change time, size and mode are those that were recorded has not been touched:
whatever a program does to a file sets its change time, and no unprivileged program can set it
back. The same goes for a directory and the names in it, so that one which has not been touched
need not be listed. The clock behind it ticks coarsely, though, so that a file may change in the
very tick in which it was recorded and look the same (git calls such a file *racily clean*). Files
that were young when they were recorded are therefore compared by content, and directories listed.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Final

from attrs import define, field, frozen

TICK_NS: Final = 20_000_000
"""Longer than the clock of any file system takes to tick that counts in parts of a second."""

_COARSE_TICK_NS: Final = 2_000_000_000
_SECOND_NS: Final = 1_000_000_000
_ANY_MODE: Final = 0o700


@frozen(kw_only=True)
class Differences:
    """How a tree differs from its record, as paths relative to its top.

    Attributes:
        extra: files and directories that were not there, or are something else now.
        damaged: files that have to be written again.
        directories: those that are missing or have another mode, with the mode that they had.
    """

    extra: list[str] = field(factory=list[str])
    damaged: list[str] = field(factory=list[str])
    directories: list[tuple[str, int]] = field(factory=list[tuple[str, int]])

    def __bool__(self) -> bool:
        return bool(self.extra or self.damaged or self.directories)


@define(kw_only=True)
class Record:
    """A tree as it was.

    Attributes:
        files: for each directory, by its path, the stamps of what is not a directory in it.
        modes: the mode of each directory by its path; the top is the empty path.
        folders: for each directory, by its path, the paths of those in it.
        old: the stamps of the directories that had not changed just before they were recorded.
        young: digests of the files that changed a moment before they were recorded.
    """

    files: dict[str, dict[str, int]] = field(factory=dict[str, dict[str, int]])
    modes: dict[str, int] = field(factory=dict[str, int])
    folders: dict[str, list[str]] = field(factory=dict[str, list[str]])
    old: dict[str, int] = field(factory=dict[str, int])
    young: dict[str, bytes] = field(factory=dict[str, bytes])

    @classmethod
    def of(cls, top: str) -> Record:
        """Record a tree as it is now."""
        record, now, pending = cls(), clock_of(os.path.dirname(top)), [""]
        record._record("", os.lstat(top), now)
        while pending:
            path = pending.pop()
            found, folders = record.files[path], record.folders[path]
            with _listing(os.path.join(top, path)) as entries:
                for entry in entries:
                    seen, inner = entry.stat(follow_symlinks=False), _joined(path, entry.name)
                    if stat.S_ISDIR(seen.st_mode):
                        record._record(inner, seen, now)
                        folders.append(inner)
                        pending.append(inner)
                        continue
                    found[entry.name] = stamp(seen)
                    if is_young(seen.st_ctime_ns, now):
                        record.young[inner] = digest(entry.path)
        return record

    def _record(self, path: str, seen: os.stat_result, now: int) -> None:
        """Begin with a directory."""
        self.modes[path] = seen.st_mode
        self.files[path], self.folders[path] = {}, []
        if not is_young(seen.st_ctime_ns, now):
            self.old[path] = stamp(seen)

    @property
    def size(self) -> int:
        """How many files there are."""
        return sum(map(len, self.files.values()))

    def note(self, top: str, path: str) -> None:
        """Record one file anew, which was written a moment ago."""
        directory, _, name = path.rpartition("/")
        full = os.path.join(top, path)
        self.files[directory][name] = stamp(os.lstat(full))
        self.young[path] = digest(full)

    def differences(self, top: str) -> Differences:
        """Compare with the tree as it is now. Directories that cannot be read are made readable."""
        found, present = Differences(), dict[str, int]()
        now = clock_of(os.path.dirname(top)) if self.young else 0
        self._meet("", os.lstat(top), present, found)
        for path in self.files:
            if path not in present:
                continue
            if present[path] == self.old.get(path):
                self._look(top, path, now, present, found)
            else:
                self._list(top, path, now, present, found)
        for path, mode in self.modes.items():
            if path not in present:
                found.directories.append((path, mode))
                found.damaged.extend(_joined(path, name) for name in self.files[path])
        return found

    def _meet(
        self, path: str, seen: os.stat_result, present: dict[str, int], found: Differences
    ) -> None:
        """Note that a directory is there, and how."""
        present[path] = stamp(seen)
        if self.modes[path] != seen.st_mode:
            found.directories.append((path, self.modes[path]))

    def _look(
        self, top: str, path: str, now: int, present: dict[str, int], found: Differences
    ) -> None:
        """Compare what is in a directory whose names are those that were recorded.

        This is the loop in which a large repository spends its time.
        """
        above = os.path.join(top, path, "")
        for name, known in self.files[path].items():
            inner = _joined(path, name)
            same = stamp(os.lstat(above + name)) == known
            if not same or (self.young and not self._still(top, inner, now)):
                found.damaged.append(inner)
        for inner in self.folders[path]:
            self._meet(inner, os.lstat(os.path.join(top, inner)), present, found)

    def _list(
        self, top: str, path: str, now: int, present: dict[str, int], found: Differences
    ) -> None:
        """Compare what is in a directory with what was."""
        known = self.files[path]
        left = set(known)
        with _listing(os.path.join(top, path)) as entries:
            for entry in entries:
                name, seen = entry.name, entry.stat(follow_symlinks=False)
                if known.get(name) == stamp(seen):
                    if not self.young or self._still(top, _joined(path, name), now):
                        left.discard(name)
                    continue
                inner = _joined(path, name)
                if not stat.S_ISDIR(seen.st_mode):
                    if name not in known:
                        found.extra.append(inner)
                elif inner in self.modes:
                    self._meet(inner, seen, present, found)
                else:
                    found.extra.append(inner)
        found.damaged.extend(_joined(path, name) for name in left)

    def _still(self, top: str, path: str, now: int) -> bool:
        """Whether a file with the right stamp has its content, too."""
        if path not in self.young:
            return True
        full = os.path.join(top, path)
        if digest(full) != self.young[path]:
            return False
        if not is_young(os.lstat(full).st_ctime_ns, now):
            del self.young[path]
        return True


def stamp(seen: os.stat_result) -> int:
    """What changes whenever anything about a file does, as one number."""
    return hash((seen.st_ino, seen.st_ctime_ns, seen.st_size, seen.st_mode))


def is_young(changed: int, now: int) -> bool:
    """Whether a file could change once more without its change time showing it."""
    tick = TICK_NS if changed % _SECOND_NS else _COARSE_TICK_NS
    return changed > now - tick


def files_in(top: str, path: str) -> Iterator[str]:
    """What is not a directory at or under a path."""
    full = os.path.join(top, path)
    if os.path.islink(full) or not os.path.isdir(full):
        yield path
        return
    for above, folders, files in os.walk(full):
        links = (name for name in folders if os.path.islink(os.path.join(above, name)))
        for name in (*files, *links):
            yield os.path.relpath(os.path.join(above, name), top)


def clock_of(directory: str) -> int:
    """The time as the file system of a directory counts it, in nanoseconds."""
    os.utime(directory)
    return os.stat(directory).st_ctime_ns


def _listing(directory: str) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
    try:
        return os.scandir(directory)
    except PermissionError:
        os.chmod(directory, _ANY_MODE)
        return os.scandir(directory)


def _joined(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def digest(path: str) -> bytes:
    """A digest of what a file holds, or of where a symbolic link points."""
    if os.path.islink(path):
        return hashlib.sha256(os.fsencode(os.readlink(path))).digest()
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
