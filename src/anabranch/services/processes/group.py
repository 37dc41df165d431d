"""Containment by session, process group and a mark in the environment: works everywhere.

Weak where it counts: if this process is killed, nothing is left to end its commands. A daemon that
leaves the session and clears its environment is found on Linux only, and while several commands
run nobody knows whose it is: it is ended with the last of them that was there when it was born
and is itself ended, at the latest by `close`. Without `/proc`, nothing that leaves the process
group is found.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import count
from secrets import token_hex
from typing import Any, Final, final

from returns.result import Failure, Result, Success

from anabranch.services.processes.adoption import (
    adopt_orphans,
    bury,
    end_adopted,
    strays,
    tick,
)
from anabranch.services.processes.child import Child, Exit, Refusal, Start
from anabranch.services.processes.exits import news_of
from anabranch.services.processes.refusals import refused
from anabranch.services.processes.sweep import can_see, marked_alike, tree
from anabranch.services.processes.warden import candidates, strike

MARK: Final = b"ANABRANCH_COMMAND"


@final
class GroupContainment:
    """Children of this process, each the leader of a session."""

    def __init__(self) -> None:
        self._running: set[_GroupChild] = set()
        self._adopts: bool | None = None
        self._mark = os.fsencode(token_hex(8))
        self._numbers = count()

    async def start(self, start: Start) -> Result[Child, Refusal]:
        """Start a process in a session of its own, with no terminal."""
        # On the event loop: a thread could not be told to give the child back when the wait
        # for it is cancelled, and `vfork` holds the interpreter's lock anyway.
        self.prepare()
        return _start(start, self._running, self._new_mark())

    def prepare(self) -> None:
        """Have what commands leave behind fall to this process."""
        if self._adopts is None:
            self._adopts = can_see() and adopt_orphans()

    def _new_mark(self) -> bytes:
        """No other command's, also not of one that a fork of this process starts."""
        return b"%s-%d-%d" % (self._mark, os.getpid(), next(self._numbers))

    def close(self) -> None:
        """End what bears a mark of ours or was adopted, and is alive."""
        if self._adopts:
            end_adopted(partial(marked_alike, b"%s=%s-%d-" % (MARK, self._mark, os.getpid())))


def _start(start: Start, running: set[_GroupChild], mark: bytes) -> Result[Child, Refusal]:
    born = tick()
    env: Any = {**start.env, MARK: mark}  # bytes, which one checker knows of and the other not
    pipes = _Pipes()
    try:
        process = subprocess.Popen(
            start.argv,
            executable=_program(start.argv[0], env),
            cwd=start.cwd,
            env=env,
            stdin=subprocess.DEVNULL if start.stdin is None else start.stdin,
            stdout=pipes.theirs[0],
            stderr=pipes.theirs[1],
            start_new_session=True,
        )
    except OSError as error:
        pipes.close()
        return Failure(refused(start, error.errno or 0))
    except ValueError:
        pipes.close()
        raise
    try:
        return Success(_GroupChild(process, pipes, MARK + b"=" + mark, running, born))
    except OSError:  # no descriptor is left to hear of its end by
        pipes.close()
        process.kill()
        process.wait()
        raise


@final
class _Pipes:
    """For stdout and stderr.

    The ends to write to stay open here, too, until the process has ended: so a process that exits
    wakes the event loop up once, and not for the end of each output before.
    """

    def __init__(self) -> None:
        self.ours: list[int] = []
        self.theirs: list[int] = []
        try:
            for _ in range(2):
                for ends, end in zip((self.ours, self.theirs), os.pipe(), strict=True):
                    ends.append(end)
        except OSError:
            self.close()
            raise
        for end in self.ours:
            os.set_blocking(end, False)

    def close(self) -> None:
        """Close all. Twice is once."""
        _close(self.theirs)
        _close(self.ours)


def _close(fds: list[int]) -> None:
    while fds:
        os.close(fds.pop())


def _program(program: str, env: Mapping[bytes, bytes]) -> bytes | None:
    """The program, found before the start: `execve` takes thirty times as long to miss it."""
    for path in candidates(os.fsencode(program), env):
        if not path.startswith(b"/"):
            return None
        if os.access(path, os.X_OK) and os.path.isfile(path):  # noqa: PTH113 (bytes)
            return path
    return None


@final
class _GroupChild:
    def __init__(
        self,
        process: subprocess.Popen[bytes],
        pipes: _Pipes,
        marker: bytes,
        running: set[_GroupChild],
        born: int,
    ) -> None:
        self._process = process
        self._pipes = pipes
        self._marker = marker
        self._running = running
        self._seen = set[int]()
        self._doomed = False
        self._born = born
        self._news = news_of(process.pid)
        running.add(self)
        self._exit: Exit | None = None

    def fileno(self) -> int:
        return self._news.fileno()

    def look(self) -> Exit | None:
        if self._exit is None:
            self._exit = self._news.look()
            if self._exit is not None:
                self._process.returncode = self._exit.code or 0
                _close(self._pipes.theirs)
        return self._exit

    def readable(self) -> Sequence[int]:
        return self._pipes.ours

    def hang_up(self, *, drained: bool) -> None:  # noqa: ARG002 (no other child gets these pipes)
        self._pipes.close()

    def gone(self) -> bool:
        if self.look() is not None and not self._alive():
            # Of what forks faster than one can look, only the dead are seen.
            strike(signal.SIGKILL, {**self._strays(), self._process.pid: self._process.pid})
            return True
        if self._doomed:  # something was born while the others were killed
            self._signal(signal.SIGKILL)
        return False

    def _alive(self) -> bool:
        return bool(self._tree()) if can_see() else self._signal_group(0)

    def lingers(self) -> bool:
        return False

    def ask(self) -> None:
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        self._doomed = True
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        fled = {p: group for p, group in self._tree().items() if group != self._process.pid}
        self._signal_group(number)
        strike(number, fled)

    def _signal_group(self, number: int) -> bool:
        """Signal the group; whether there is one, be it of zombies only."""
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True

    def _tree(self) -> dict[int, int]:
        found = tree(self._process.pid, self._marker, self._strays())
        self._seen |= found.keys() - {self._process.pid}
        return found

    def _strays(self) -> dict[int, int]:
        """What was adopted, while it can only have been born to this command."""
        return strays(self._born) if self._running == {self} else {}

    def release(self) -> None:
        self._news.close()
        self._running.discard(self)
        if self._seen:
            bury(self._seen)
