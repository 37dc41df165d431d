"""A process that is hard to catch; each holds the file `alive` open, a FIFO, until none is left.

Run as `python -I -S restless.py KIND DIRECTORY`; it prints `ready`, and ends when nobody reads the
FIFO any more. The kinds:

    chain      forks and exits, over and over again
    sessions   the same, and each founds a session
    headless   its first thread has ended, so that it looks like a zombie
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
from pathlib import Path
from threading import Thread


def chain(enough: select.poll, *, sessions: bool) -> None:
    """Be one's own child, again and again."""
    while not enough.poll(0):
        if os.fork():
            os._exit(0)
        if sessions:
            os.setsid()


def headless(enough: select.poll) -> None:
    """Go on in a second thread alone."""
    Thread(target=_wait, args=[enough]).start()
    ctypes.CDLL(None).pthread_exit(None)


def _wait(enough: select.poll) -> None:
    stat = Path("/proc/self/stat")
    while stat.read_text().rpartition(")")[2].split()[0] != "Z":
        pass
    os.write(1, b"ready\n")
    enough.poll()


def main() -> None:
    """Be restless."""
    kind, directory = sys.argv[1:]
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    alive = os.open(f"{directory}/alive", os.O_WRONLY)
    os.set_inheritable(alive, True)
    enough = select.poll()
    enough.register(alive, 0)
    if kind == "headless":
        headless(enough)
    os.write(1, b"ready\n")
    os.setsid()
    chain(enough, sessions=kind == "sessions")


if __name__ == "__main__":
    main()
