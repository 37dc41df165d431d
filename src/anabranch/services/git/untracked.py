"""The untracked files of a working tree, asked for again and again and therefore remembered.

Every agent finds what the setup phase left behind, and while agents work nobody changes it.
Git is asked again only if one of the directories, the index or a file that says what is ignored
is another one than when git was asked last. A directory's time changes whenever a name in it
comes or goes; as the clock behind it ticks coarsely, an answer counts only once all of them are
older than a tick.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Lock
from typing import Final, TypeAlias

from attrs import define, field, frozen

from anabranch.services.git.admin import admin_of
from anabranch.services.git.pristine import clock_of, is_young
from anabranch.services.git.runner import Git, paths

Mark: TypeAlias = tuple[int, int]

_MANY: Final = 1_000
_GONE: Final = (0, 0)
_IGNORE: Final = ".gitignore"


@frozen
class _Answer:
    """What git said, and what everything that it depends on looked like."""

    marks: dict[str, Mark]
    paths: list[str]


def untracked_files(git: Git, top: str) -> list[str]:
    """The untracked, not ignored files of a working tree; a repository inside it ends in `/`."""
    listed = git.at(top).run("ls-files", "-z", "--others", "--exclude-standard")
    return paths(listed.stdout)


@define
class Untracked:
    """Lists of untracked, not ignored files by working tree.

    Attributes:
        ask: asks git for the untracked files of a working tree.
        common: git's directory.
    """

    ask: Callable[[str], list[str]]
    common: str
    _answers: dict[str, _Answer] = field(factory=dict[str, _Answer], init=False, repr=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    def of(self, top: str) -> list[str]:
        """The untracked files of a working tree; a repository inside it ends in `/`."""
        with self._lock:
            known = self._answers.get(top)
            if known is not None and all(_mark(path) == m for path, m in known.marks.items()):
                return known.paths
            before = self._look(top)
            found = self.ask(top)
            if before and self._look(top) == before and _all_old(before, top):
                self._answers[top] = _Answer(before, found)
            return found

    def _look(self, top: str) -> dict[str, Mark]:
        """`_marks`; nothing, if some of it cannot be read."""
        try:
            return self._marks(top)
        except OSError:
            return {}

    def _marks(self, top: str) -> dict[str, Mark]:
        """Everything that the answer depends on; nothing, if that is too much to look at."""
        admin = admin_of(top) or os.path.join(top, ".git")
        found = [os.path.join(admin, "index"), os.path.join(self.common, "info", "exclude")]
        pending = [top]
        while pending:
            if len(found) > _MANY:
                return {}
            directory = pending.pop()
            found.append(directory)
            with os.scandir(directory) as entries:
                for entry in entries:
                    if entry.name == _IGNORE:
                        found.append(entry.path)
                    elif entry.name != ".git" and entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
        return {path: _mark(path) for path in found}


def _mark(path: str) -> Mark:
    try:
        seen = os.lstat(path)
    except OSError:
        return _GONE
    return seen.st_ino, seen.st_ctime_ns


def _all_old(marks: dict[str, Mark], top: str) -> bool:
    now = clock_of(os.path.dirname(top))
    return not any(is_young(changed, now) for _, changed in marks.values())
