"""Who belongs to a tree of processes, where no subreaper holds it together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from anabranch.services.processes.warden import processes


def can_see() -> bool:
    """Whether processes can be looked up here."""
    return Path("/proc/self/stat").exists()


def living() -> Iterator[tuple[int, int, int, int]]:
    """Pid, parent, process group and session of every process that is not dead."""
    return (found[:4] for found in processes() if not found[4])


def tree(root: int, marker: bytes, strays: Collection[int] = ()) -> dict[int, int]:
    """The living of a session leader's tree with their groups, as far as they can be found.

    They are found by session, by process group, by a mark in their environment, and by descent
    from those. What called `setsid`, lost its parent *and* cleared its environment is not,
    unless it is among the strays that are known to belong here.
    """
    everyone = list(living())
    found = {pid for pid, *_, group, session in everyone if root in {pid, group, session}}
    found |= marked((pid for pid, *_ in everyone), marker) | {*strays}
    while more := {pid for pid, parent, *_ in everyone if parent in found} - found:
        found |= more
    return {pid: group for pid, _, group, _ in everyone if pid in found}


def marked(pids: Iterable[int], marker: bytes) -> set[int]:
    """Those that have a mark in their environment, as far as that can be read."""
    return {pid for pid in pids if marker in _environment(pid)}


def marked_alike(beginning: bytes) -> dict[int, int]:
    """The living that have a mark which begins like this, with their groups."""
    return {
        pid: group
        for pid, _, group, _ in living()
        if any(entry.startswith(beginning) for entry in _environment(pid))
    }


def _environment(pid: int) -> list[bytes]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return []
