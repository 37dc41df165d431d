"""What a run that died left running: found by the mark in its environment, and ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from anabranch.services.processes.sweep import can_see, living, marked

RUN_VARIABLE: Final = "ANABRANCH_RUN"
_PATIENCE_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.01


def end_processes_of(run: str) -> None:
    """Kill what commands of a run left running, and wait until it is gone.

    Wardens end a command's tree when their owner dies, but not if they were killed with it.
    This process and those that it descends from are spared. What cleared its environment is
    not found.

    Args:
        run: the id of the run, which nobody else works on.
    """
    if not can_see():
        return
    spared = set(_line())
    limit = time.monotonic() + _PATIENCE_SECONDS
    while left := processes_of(run) - spared:
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > limit:
            return
        time.sleep(_POLL_SECONDS)


def processes_of(run: str) -> set[int]:
    """The living processes that bear the mark of a run."""
    return marked((pid for pid, *_ in living()), f"{RUN_VARIABLE}={run}".encode())


def _line() -> Iterator[int]:
    """The process that asks, and its ancestors."""
    pid = os.getpid()
    while pid > 0:
        yield pid
        pid = _parent_of(pid)


def _parent_of(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    return int(stat.rpartition(b")")[2].split()[1])
