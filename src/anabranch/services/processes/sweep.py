"""Who is alive, read from `/proc`: pids, parents, groups, sessions, environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import frozen

_PROC: Final = Path("/proc")


@frozen(kw_only=True)
class Process:
    """A living process: zombies are not."""

    pid: int
    parent: int
    group: int
    session: int


def living() -> Iterator[Process]:
    """Every living process that can be seen; none where there is no `/proc`."""
    with suppress(OSError):
        for entry in os.scandir(_PROC):
            if entry.name.isdigit():
                with suppress(OSError):
                    yield from _parse(int(entry.name), Path(entry.path, "stat").read_bytes())


def _parse(pid: int, stat: bytes) -> Iterator[Process]:
    # The name in parentheses may hold anything, parentheses and spaces included.
    state, parent, group, session = stat[stat.rindex(b")") + 2 :].split(b" ", 4)[:4]
    if state not in b"ZXx":
        yield Process(pid=pid, parent=int(parent), group=int(group), session=int(session))


def tree(root: int, marker: bytes, processes: Iterable[Process]) -> set[int]:
    """The pids of a session leader's tree: by session, group, descent, and a mark in the environment.

    What called `setsid`, lost its parent *and* cleared its environment is not found this way.
    """
    everyone = list(processes)
    found = {
        p.pid for p in everyone if root in {p.pid, p.group, p.session} or _marked(p.pid, marker)
    }
    while more := {p.pid for p in everyone if p.parent in found} - found:
        found |= more
    return found


def _marked(pid: int, marker: bytes) -> bool:
    with suppress(OSError):
        return marker in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    return False
