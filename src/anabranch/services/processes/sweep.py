"""Who belongs to a tree of processes, where no subreaper holds it together."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from anabranch.services.processes.warden import living


def can_see() -> bool:
    """Whether processes can be looked up here."""
    return Path("/proc/self/stat").exists()


def tree(root: int, marker: bytes, strays: Collection[int] = ()) -> set[int]:
    """The living pids of a session leader's tree, as far as they can be found.

    They are found by session, by process group, by a mark in their environment, and by descent
    from those. What called `setsid`, lost its parent *and* cleared its environment is not,
    unless it is among the strays that are known to belong here.
    """
    everyone = list(living())
    found = {pid for pid, *_, group, session in everyone if root in {pid, group, session}}
    found |= marked((pid for pid, *_ in everyone), marker) | {*strays}
    while more := {pid for pid, parent, *_ in everyone if parent in found} - found:
        found |= more
    return found


def marked(pids: Iterable[int], marker: bytes) -> set[int]:
    """Those that have a mark in their environment, as far as that can be read."""
    return {pid for pid in pids if marker in _environment(pid)}


def marked_alike(beginning: bytes) -> set[int]:
    """The living that have a mark which begins like this."""
    everyone = (pid for pid, *_ in living())
    return {
        pid for pid in everyone if any(entry.startswith(beginning) for entry in _environment(pid))
    }


def _environment(pid: int) -> list[bytes]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return []
