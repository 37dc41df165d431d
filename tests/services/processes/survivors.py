"""Who is still alive: processes found by the number of seconds that they sleep."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from anabranch.environment import Invocation

COMMAND = (sys.executable, "-I", "-S", str(Path(__file__).with_name("kinds.py")))
RESTLESS = (sys.executable, "-I", "-S", str(Path(__file__).with_name("restless.py")))
FAMILY = 9  # the eight kinds, and the command itself
_numbers = count(1)


@contextmanager
def family(cwd: Path) -> Generator[tuple[Invocation, str]]:
    """A command that starts all kinds of descendants, and the mark to find them by."""
    mark = f"9{os.getpid()}.{next(_numbers)}"
    argv = (*COMMAND, mark)
    try:
        yield Invocation(argv=argv, cwd=str(cwd)), mark
    finally:
        for pid in alive(mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def restless(kind: str, cwd: Path) -> Generator[tuple[Invocation, int]]:
    """A command of that kind in the background, and a pipe at its end once all of it is dead."""
    os.mkfifo(cwd / "alive")
    watch = os.open(cwd / "alive", os.O_RDONLY | os.O_NONBLOCK)
    argv = ("sh", "-c", '"$@" & sleep 1000', "sh", *RESTLESS, kind, str(cwd))
    try:
        yield Invocation(argv=argv, cwd=str(cwd)), watch
    finally:
        os.close(watch)


def hung_up(watch: int, patience_seconds: float = 30) -> bool:
    """Wait until nobody holds the other end of a pipe."""
    poll = select.poll()
    poll.register(watch, 0)
    return [(watch, select.POLLHUP)] == poll.poll(patience_seconds * 1000)


def alive(mark: str) -> set[int]:
    """The pids of a family: its head, and all that sleep under its mark."""
    wanted = {"\0".join([*argv, mark, ""]).encode() for argv in (COMMAND, ("sleep",))}
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and (entry / "cmdline").read_bytes() in wanted:
                found.add(int(entry.name))
    return found


def whole_family(mark: str) -> set[int]:
    """Wait until all of a family are alive, at most 30 seconds: the last may still be at `exec`."""
    limit = time.monotonic() + 30
    while len(pids := alive(mark)) != FAMILY:
        assert time.monotonic() < limit, pids
    return pids


def all_dead(pids: set[int], patience_seconds: float = 30) -> bool:
    """Wait until none of some processes is alive, at most so long."""
    for pid in pids:
        with suppress(ProcessLookupError):
            fd = os.pidfd_open(pid)
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            ended = poll.poll(patience_seconds * 1000)
            os.close(fd)
            if not ended:
                return False
    return True
