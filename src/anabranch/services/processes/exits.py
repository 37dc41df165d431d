"""The exit of a child of this process, as a descriptor that is readable once it has happened."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from threading import Thread
from typing import Final, Protocol, final

from anabranch.environment import ResourceUsage
from anabranch.services.processes.child import Exit

_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024


class ExitNews(Protocol):
    """Tells how one child ended."""

    def fileno(self) -> int:
        """A descriptor that is readable once the child has ended."""
        ...

    def look(self) -> Exit | None:
        """How it ended, once it has; its code is `None` if somebody else collected it."""
        ...

    def close(self) -> None:
        """Let go of the descriptor."""
        ...


def news_of(pid: int) -> ExitNews:
    """Watch a child: through the kernel where it offers that, by a thread elsewhere."""
    return _Pidfd(pid) if hasattr(os, "pidfd_open") else _Waiter(pid)


def _collect(pid: int, options: int) -> Exit | None:
    try:
        found, status, used = os.wait4(pid, options)
    except ChildProcessError:
        return Exit(code=None)
    if found == 0:
        return None
    usage = ResourceUsage(
        user=timedelta(seconds=used.ru_utime),
        system=timedelta(seconds=used.ru_stime),
        memory=used.ru_maxrss * _RSS_UNIT,
    )
    return Exit(code=os.waitstatus_to_exitcode(status), usage=usage)


@final
class _Pidfd:
    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._fd = os.pidfd_open(pid)

    def fileno(self) -> int:
        return self._fd

    def look(self) -> Exit | None:
        return _collect(self._pid, os.WNOHANG)

    def close(self) -> None:
        os.close(self._fd)


@final
class _Waiter:
    def __init__(self, pid: int) -> None:
        self._exit: Exit | None = None
        self._readable, self._alarm = os.pipe()
        Thread(target=self._wait, args=(pid,), daemon=True).start()

    def _wait(self, pid: int) -> None:
        self._exit = _collect(pid, 0)
        os.close(self._alarm)

    def fileno(self) -> int:
        return self._readable

    def look(self) -> Exit | None:
        return self._exit

    def close(self) -> None:
        os.close(self._readable)
