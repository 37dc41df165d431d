"""Containment by session, process group and a mark in the environment: works everywhere.

Weak where it counts: a daemon that leaves the session and clears its environment is not found,
and if this process is killed nothing is left to end its commands.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from secrets import token_hex
from typing import Final, final

from returns.result import Failure, Result, Success

from anabranch.environment import Usage
from anabranch.services.processes.child import Child, Exit, Refusal, Start
from anabranch.services.processes.refusals import refused, unspeakable
from anabranch.services.processes.sweep import tree

MARK: Final = "ANABRANCH_COMMAND"
_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024


@final
class GroupContainment:
    """Children of this process, each the leader of a session."""

    async def start(self, start: Start) -> Result[Child, Refusal]:
        """Start a process in a session of its own, with no terminal."""
        # On the event loop: a thread could not be told to give the child back when the wait
        # for it is cancelled, and `vfork` holds the interpreter's lock anyway.
        return _start(start)

    def close(self) -> None:
        """Nothing is held for what has ended."""


def _start(start: Start) -> Result[Child, Refusal]:
    token = token_hex(8)
    env = {**start.env, MARK: token}
    if not start.argv:
        return Failure(unspeakable("no program is named"))
    try:
        process = subprocess.Popen(
            start.argv,
            cwd=start.cwd,
            env=env,
            stdin=start.stdin,
            stdout=start.stdout,
            stderr=start.stderr,
            start_new_session=True,
        )
    except OSError as error:
        return Failure(refused(start.argv[0], start.cwd, error.errno or 0, env.get("PATH")))
    except ValueError as error:
        return Failure(unspeakable(str(error)))
    return Success(_GroupChild(process, f"{MARK}={token}".encode()))


@final
class _GroupChild:
    def __init__(self, process: subprocess.Popen[bytes], marker: bytes) -> None:
        self._process = process
        self._marker = marker
        self._pidfd = os.pidfd_open(process.pid)
        self._exit: Exit | None = None

    def fileno(self) -> int:
        return self._pidfd

    def look(self) -> Exit | None:
        if self._exit is None:
            self._exit = self._reap()
        return self._exit

    def _reap(self) -> Exit | None:
        try:
            pid, status, used = os.wait4(self._process.pid, os.WNOHANG)
        except ChildProcessError:
            self._process.returncode = 0
            return Exit(code=None)
        if pid == 0:
            return None
        self._process.returncode = os.waitstatus_to_exitcode(status)
        usage = Usage(
            user=timedelta(seconds=used.ru_utime),
            system=timedelta(seconds=used.ru_stime),
            memory=used.ru_maxrss * _RSS_UNIT,
        )
        return Exit(code=self._process.returncode, usage=usage)

    def gone(self) -> bool:
        return self.look() is not None and not self._tree()

    def lingers(self) -> bool:
        return False

    def ask(self) -> None:
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        for pid in self._tree():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)

    def _tree(self) -> set[int]:
        return tree(self._process.pid, self._marker)

    def release(self) -> None:
        os.close(self._pidfd)
