"""Giving files that a killed git left torn the rest of what lands there.

Such a file may be one of the user that only looks like it, so that nothing is written through a
link or under a second name, nor to a file that changed since it was read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress

from attrs import evolve

from anabranch.services.git.runner import Git
from anabranch.services.git.ways import Torn, Way, torn_at


def mended(git: Git, way: Way, *, wholly: bool = False) -> Way:
    """The way once torn files hold what lands there.

    Args:
        git: runs in the tree.
        way: what lies in it.
        wholly: to write nothing unless all that differs is torn, or gone.
    """
    found = list(_torn(git, way))
    with ExitStack() as opened:
        files = {torn.path: _opened(git.directory, torn, opened) for torn in found}
        ready = {path: file for path, file in files.items() if file is not None}
        if wholly and differs(git, evolve(way, same=way.same | ready.keys())):
            return way
        for torn in found:
            if torn.path in ready:
                with open(ready[torn.path], "ab", closefd=False) as file:
                    file.write(torn.rest)
    return evolve(way, same=way.same | ready.keys())


def differs(git: Git, way: Way) -> bool:
    """Whether something is there that is not what lands there."""
    return not all(way.is_gone(git.directory, path) for path in way.differing)


def _torn(git: Git, way: Way) -> Iterator[Torn]:
    for path in sorted(way.differing):
        if way.occupied[path] == path and (torn := torn_at(git, way.landings[path])):
            yield torn


def _opened(tree: str, torn: Torn, opened: ExitStack) -> int | None:
    """The file, open to append to it; `None` if it cannot be, or is not what was read."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
    with suppress(OSError):
        file = os.open(os.path.join(tree, torn.path), flags)
        opened.callback(os.close, file)
        found = os.fstat(file)
        if (True, 1, torn.size) == (stat.S_ISREG(found.st_mode), found.st_nlink, found.st_size):
            return file
    return None
