"""Containment by child subreapers: the owner's side of `warden`.

What a command starts cannot leave its warden's tree, so all of it can be ended; and the
wardens outlive their owner just long enough to end it when the owner is killed.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import weakref
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Final, final

from anyio import to_thread
from returns.result import Result, Success

from anabranch.environment import ResourceUsage
from anabranch.planning.machine import Strength
from anabranch.services.processes import warden
from anabranch.services.processes.child import Child, Exit, Refusal, Start, candidates
from anabranch.services.processes.refusals import refused

_PATIENCE: Final = 20.0
_PACKET: Final = 256


class UnavailableError(Exception):
    """What the machine does not permit; the argument says why."""


@final
class ReaperContainment:
    """Children of wardens, which are child subreapers, each with one command at a time.

    Args:
        cgroup: a directory of cgroup v2 under which wardens may make theirs, if there is one.
    """

    def __init__(self, cgroup: str | None = None) -> None:
        self._cgroup = cgroup or ""
        self._keeper: _Keeper | None = None
        self._lock = Lock()

    async def start(self, start: Start) -> Result[Child, Refusal]:
        """Start a process in a session without a terminal.

        Raises:
            UnavailableError: this machine does not permit it.
            ValueError: what it is to start makes no sense.
            OSError: this process has not got what it takes.
        """
        request = _encode(start)
        keeper = self._keeper
        if keeper is None or not keeper.usable():
            keeper = await to_thread.run_sync(self._new_keeper)
        return Success(keeper.assign(request, start))

    def _new_keeper(self) -> _Keeper:
        with self._lock:
            if self._keeper is None or not self._keeper.usable():
                self._keeper = _Keeper(self._cgroup)
            return self._keeper

    def strength(self) -> Strength:
        """Whether wardens stand in cgroups; a keeper is started to find out.

        Raises:
            UnavailableError: this machine does not permit it.
        """
        return Strength.CGROUP if self._new_keeper().in_cgroup else Strength.SUBREAPER

    def close(self) -> None:
        """End everything that was started and is still alive. Twice is once."""
        if self._keeper is not None:
            self._keeper.dismiss()
            self._keeper = None


def _encode(start: Start) -> bytes:
    if any(b"=" in name or not name for name in start.env):
        raise ValueError("illegal environment variable name")
    argv = [os.fsencode(argument) for argument in start.argv]
    cwd = os.fsencode(start.cwd)
    if any(b"\0" in text for text in (cwd, *argv, *start.env, *start.env.values())):
        raise ValueError("embedded null byte")
    return warden.encode(cwd, candidates(argv[0], start.env), argv, dict(start.env))


@final
class _Links:
    """The sockets of all wardens, and which of them are free."""

    def __init__(self) -> None:
        self.every: set[socket.socket] = set()
        self.idle: list[socket.socket] = []

    def close(self, link: socket.socket) -> None:
        self.every.discard(link)
        link.close()


@final
class _Keeper:
    """The keeper's process, and the wardens that are free."""

    def __init__(self, cgroup: str) -> None:
        self._pid = os.getpid()
        self._links = _Links()
        self._link, self._process = _launch(self._pid, cgroup)
        self.dismiss = weakref.finalize(self, _dismiss, self._link, self._process, self._links)
        self._link.settimeout(_PATIENCE)
        answer = _receive(self._link).decode()
        self.in_cgroup = answer == "ok cgroup"
        if not answer.startswith("ok "):
            self.dismiss()
            raise UnavailableError(answer or "the helper process did not start")

    def usable(self) -> bool:
        """Whether it is alive, and this process's own: not one from before a fork."""
        return self._pid == os.getpid() and self._process.poll() is None

    def assign(self, request: bytes, start: Start) -> _Ward:
        """Have a free warden, or a new one, start a command."""
        while self._links.idle:
            link = self._links.idle.pop()
            with suppress(ConnectionError):
                return _Ward(link, self._links, request, start)
            self._links.close(link)
        return _Ward(self._hire(), self._links, request, start)

    def _hire(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            socket.send_fds(self._link, [b"H"], [theirs.fileno()])
        ours.setblocking(False)
        self._links.every.add(ours)
        return ours


def _launch(owner: int, cgroup: str) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Start a keeper; our end of its socket, and its process."""
    if sys.platform != "linux":
        raise UnavailableError("only Linux has child subreapers")
    if not sys.executable or getattr(sys, "frozen", False):
        raise UnavailableError("there is no Python interpreter to run a helper process with")
    argv = [sys.executable, "-I", "-S", str(Path(warden.__file__)), str(owner), cgroup]
    null = subprocess.DEVNULL
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        try:
            return ours, subprocess.Popen(
                argv, stdin=theirs.fileno(), stdout=null, stderr=null, start_new_session=True
            )
        except OSError as error:
            ours.close()
            raise UnavailableError(f"no helper process could be started: {error}") from None


def _dismiss(link: socket.socket, process: subprocess.Popen[bytes], links: _Links) -> None:
    for each in [link, *links.every]:
        each.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_PATIENCE)


def _receive(link: socket.socket) -> bytes:
    """The next packet; empty if there is nobody to send one any more."""
    try:
        return link.recv(_PACKET)
    except BlockingIOError:
        raise
    except OSError:
        return b""


@final
class _Ward:
    """A command in the care of a warden."""

    def __init__(self, link: socket.socket, links: _Links, request: bytes, start: Start) -> None:
        self._link = link
        self._links = links
        self._start = start
        self._exit: Exit | None = None
        self._gone = False
        self._dead = False
        with os.fdopen(os.memfd_create("anabranch"), "w+b", buffering=0) as memory:
            memory.write(request)
            memory.seek(0)
            stdio = (start.stdin, start.stdout, start.stderr)
            socket.send_fds(link, [b"R"], [*stdio, memory.fileno()])

    def fileno(self) -> int:
        return self._link.fileno()

    def look(self) -> Exit | None:
        with suppress(BlockingIOError):
            while not self._dead:
                self._take(_receive(self._link).split())
        return self._exit

    def _take(self, message: list[bytes]) -> None:
        match message:
            case [b"X", code, user, system, kibibytes, left]:
                usage = ResourceUsage(
                    user=timedelta(seconds=float(user)),
                    system=timedelta(seconds=float(system)),
                    memory=int(kibibytes) * 1024,
                )
                self._exit = Exit(code=int(code), usage=usage)
                self._gone = left == b"0"
            case [b"E", number]:
                self._exit = Exit(code=None, refusal=refused(self._start, int(number)))
                self._gone = True
            case [b"G"]:
                self._gone = True
            case _:
                self._dead = self._gone = True
                self._exit = self._exit or Exit(code=None)

    def gone(self) -> bool:
        self.look()
        return self._gone

    def lingers(self) -> bool:
        return not self.gone()

    def ask(self) -> None:
        self._tell(b"T")

    def kill(self) -> None:
        self._tell(b"K")

    def _tell(self, order: bytes) -> None:
        with suppress(ConnectionError):
            self._link.send(order)

    def release(self) -> None:
        if self._gone and not self._dead:
            self._links.idle.append(self._link)
        else:
            self._links.close(self._link)
