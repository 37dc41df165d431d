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
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Final

from anabranch.services.processes.warden import PR_SET_CHILD_SUBREAPER, born, processes

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


def strays(since: int) -> set[int]:
    """The adopted that live and were born at a tick of the machine's clock, or later."""
    return {pid for pid, dead in _adopted() if not dead and int(born(pid) or 0) >= since}


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
    for pid in dead & ({pid for pid, _ in _adopted()} | set(known)):
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def end_strays() -> None:
    """Kill all adopted, and those that fall to us because of that."""
    for pause in _PAUSES_SECONDS:
        left = strays(0)
        for pid in left:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if not left:
            break
        time.sleep(pause)
    bury()


def _adopted() -> Iterator[tuple[int, bool]]:
    """Each adopted child, and whether it is dead."""
    me, ours = os.getpid(), os.getsid(0)
    for pid, parent, _, session, dead in processes():
        if parent == me and session not in {ours, pid}:
            yield pid, dead
