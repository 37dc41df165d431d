"""Orphans of commands, adopted by this very process, where no helper can do that.

A daemon that left its session and cleared its environment bears no mark. On Linux this process
can at least be its *child subreaper*: when the daemon loses its parent, it becomes a child of
ours. A child whose session is neither ours nor its own cannot have been started by us, for a
session is left only by founding one; so it must have been adopted. (One that founded a session
itself cannot be told from a child that somebody else in this process started, and is left alone.)
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import Final

from anabranch.services.processes.warden import PR_SET_CHILD_SUBREAPER, born, processes, strike

_LINUX: Final = sys.platform == "linux"
_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
_PAUSES_SECONDS: Final = (0.001, 0.01, 0.05, 0.2, 0.5)


def adopt_orphans() -> bool:
    """Become the one that orphans among the descendants of this process fall to."""
    if not _LINUX:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    adopted: int = libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    return adopted == 0


def strays(since: int) -> dict[int, int]:
    """The adopted that were born at a tick of the machine's clock, or later, with their groups.

    The dead are among them until they are buried, for others of their group may live.
    """
    return {pid: group for pid, group in _adopted() if int(born(pid) or 0) >= since}


def tick() -> int:
    """Now, by the clock that tells when a process was born."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * _TICKS_A_SECOND) if _LINUX else 0


def bury(known: Collection[int] = ()) -> None:
    """Collect the dead among the adopted.

    Args:
        known: others that were adopted if they are children of ours at all.
    """
    me = os.getpid()
    dead = {pid for pid, parent, *_, dead in processes() if dead and parent == me}
    for pid in dead & {*dict(_adopted()), *known}:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def end_adopted(known: Callable[[], Mapping[int, int]]) -> None:
    """Kill all adopted, and those that fall to us because of that.

    Args:
        known: others that are to be killed, with their groups.
    """
    seen = set[int]()
    for pause in _PAUSES_SECONDS:
        bury(seen)
        left = {**known(), **strays(0)}
        if not left:
            break
        seen |= left.keys()
        strike(signal.SIGKILL, left)
        time.sleep(pause)
    bury(seen)


def _adopted() -> Iterator[tuple[int, int]]:
    """Each adopted child and its group."""
    me, ours = os.getpid(), os.getsid(0)
    for pid, parent, group, session, _ in processes():
        if parent == me and session not in {ours, pid}:
            yield pid, group
