"""A process that is hard to catch; each holds the file `alive` open, a FIFO, until none is left.

Run as `python -I -S restless.py KIND DIRECTORY`; it prints `ready`, and ends if there is a file
`enough`. The kinds:

    chain      forks and exits, over and over again
    sessions   the same, and each founds a session
    headless   its first thread has ended, so that it looks like a zombie
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from threading import Thread

ENOUGH = f"{sys.argv[-1]}/enough"


def chain(*, sessions: bool) -> None:
    """Be one's own child, again and again."""
    while not os.path.exists(ENOUGH):  # noqa: PTH110 (pathlib takes longer than to fork)
        if os.fork():
            os._exit(0)
        if sessions:
            os.setsid()


def headless() -> None:
    """Go on in a second thread alone."""
    Thread(target=_wait).start()
    ctypes.CDLL(None).pthread_exit(None)


def _wait() -> None:
    state = ""
    while state != "Z":
        with open(f"/proc/{os.getpid()}/stat") as stat:  # noqa: PTH123
            state = stat.read().rpartition(")")[2].split()[0]
    os.write(1, b"ready\n")
    while not os.path.exists(ENOUGH):  # noqa: PTH110
        time.sleep(0.01)


def main() -> None:
    """Be restless."""
    kind = sys.argv[1]
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.set_inheritable(os.open(f"{sys.argv[2]}/alive", os.O_WRONLY), True)
    if kind == "headless":
        headless()
    os.write(1, b"ready\n")
    os.setsid()
    chain(sessions=kind == "sessions")


if __name__ == "__main__":
    main()
