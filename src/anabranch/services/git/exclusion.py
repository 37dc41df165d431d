"""One at a time, for the moment that a change of shared metadata takes.

Whoever waits sleeps in the kernel and is woken in turn; the lock ends with its holder, however
that ends. It is for use in a worker thread: nobody holds it longer than a git command takes.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def alone(path: str) -> Generator[int]:
    """Be the only one at a path, among all threads and processes. It is not re-entrant.

    Yields:
        The lock's file descriptor: a process that inherits it holds the lock, too.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
