"""Containment by child subreapers: the owner's side of `warden`.

What a command starts cannot leave its warden's tree, so all of it can be ended; and the
wardens outlive their owner just long enough to end it when the owner is killed.
"""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import weakref
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from select import POLLIN, poll
from threading import Lock
from typing import BinaryIO, Final, final

from anyio import to_thread
from returns.result import Result, Success

from anabranch.environment import ResourceUsage
from anabranch.planning.machine import Strength
from anabranch.services.processes import warden
from anabranch.services.processes.child import Child, Exit, Refusal, Start
from anabranch.services.processes.inheritance import entries
from anabranch.services.processes.refusals import refused

_PATIENCE: Final = 20.0
_SHORTAGES: Final = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE}
_INLINE: Final = warden.PACKET // 2


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
        if keeper is None or not (keeper.usable() and keeper.answered):
            keeper = await to_thread.run_sync(self._ready_keeper)
        return Success(keeper.assign(request, start))

    def prepare(self) -> None:
        """Start the helper that every command needs, and do not wait for it."""
        with suppress(UnavailableError, OSError):
            self._new_keeper()

    def _ready_keeper(self) -> _Keeper:
        keeper = self._new_keeper()
        with self._lock:
            keeper.await_answer()
        return keeper

    def _new_keeper(self) -> _Keeper:
        with self._lock:
            old = self._keeper
            if old is not None and old.usable():
                return old
            if old is not None and not old.answered:
                old.dismiss()  # it has no commands, unlike one that ended later
            self._keeper = _Keeper(self._cgroup)
            return self._keeper

    def strength(self) -> Strength:
        """Whether wardens stand in cgroups; a keeper is started to find out.

        Raises:
            UnavailableError: this machine does not permit it.
        """
        return Strength.CGROUP if self._ready_keeper().in_cgroup else Strength.SUBREAPER

    def close(self) -> None:
        """End everything that was started and is still alive. Twice is once."""
        if self._keeper is not None:
            self._keeper.dismiss()
            self._keeper = None


def _encode(start: Start) -> bytes:
    """A request as `warden.parse` reads it; in what is new here, nothing may hold a NUL."""
    argv, own = [os.fsencode(argument) for argument in start.argv], entries(start.own)
    parts = [os.fsencode(start.cwd), b"%d" % len(argv), b"%d" % len(own), *argv, *own]
    new = b"\0".join(parts)
    if new.count(b"\0") >= len(parts):
        raise ValueError("embedded null byte")
    return new + b"\0" + start.inherited.block


@final
class _Line:
    """To one warden: our end of its socket, and where the outputs of its commands come out."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.pipes: list[int] = []

    def open_pipes(self) -> None:
        """Make pipes, of which nobody has an end to write to as yet."""
        for _ in range(2):
            ours, theirs = os.pipe()
            self.pipes.append(ours)
            os.close(theirs)
            os.set_blocking(ours, False)

    def hang_up(self) -> None:
        """Close the pipes. Twice is once."""
        while self.pipes:
            os.close(self.pipes.pop())

    def close(self) -> None:
        """Close everything: its warden ends what it holds. Twice is once."""
        self.hang_up()
        self.link.close()


@final
class _Lines:
    """All lines, and which of them are free."""

    def __init__(self) -> None:
        self.every: set[_Line] = set()
        self.idle: list[_Line] = []

    def close(self, line: _Line) -> None:
        self.every.discard(line)
        line.close()


@final
class _Keeper:
    """The keeper's process, and the wardens that are free."""

    def __init__(self, cgroup: str) -> None:
        self._pid = os.getpid()
        self._lines = _Lines()
        self._link, self._process = _launch(self._pid, cgroup)
        self.dismiss = weakref.finalize(self, _dismiss, self._link, self._process, self._lines)
        self._link.settimeout(_PATIENCE)
        self._answer = ""

    @property
    def answered(self) -> bool:
        """Whether it said that it can do its work."""
        return self._answer.startswith("ok ")

    @property
    def in_cgroup(self) -> bool:
        """Whether its wardens stand in cgroups."""
        return self._answer == "ok cgroup"

    def await_answer(self) -> None:
        """Wait until it says whether it can do its work.

        Raises:
            UnavailableError: it cannot.
        """
        if not self.answered:
            self._answer = _receive(self._link).decode()
            if not self.answered:
                self.dismiss()
                raise UnavailableError(self._answer or "the helper process did not start")

    def usable(self) -> bool:
        """Whether it is alive, and this process's own: not one from before a fork."""
        return self._pid == os.getpid() and self._process.poll() is None

    def assign(self, request: bytes, start: Start) -> _Ward:
        """Have a free warden, or a new one, start a command."""
        while self._lines.idle:
            line = self._lines.idle.pop()
            with suppress(ConnectionError):
                return _Ward(line, self._lines, request, start)
            self._lines.close(line)
        return _Ward(self._hire(), self._lines, request, start)

    def _hire(self) -> _Line:
        with ExitStack() as held:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            line = _Line(ours)
            held.callback(line.close)
            with theirs:
                line.open_pipes()
                socket.send_fds(self._link, [b"H"], [theirs.fileno(), *line.pipes])
            ours.setblocking(False)
            held.pop_all()
        self._lines.every.add(line)
        return line


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
            if error.errno in _SHORTAGES:
                raise
            raise UnavailableError(f"no helper process could be started: {error}") from None


def _dismiss(link: socket.socket, process: subprocess.Popen[bytes], lines: _Lines) -> None:
    link.close()
    for line in lines.every:
        line.close()
    if process.poll() is None:
        _await_end(process.pid)
        process.poll()


def _await_end(pid: int) -> None:
    """Wait for the end of a child; `Popen.wait` with a limit would look, sleep and look again."""
    with suppress(OSError):  # no descriptor is left
        news = os.pidfd_open(pid)
        end = poll()
        end.register(news, POLLIN)
        end.poll(_PATIENCE * 1000)
        os.close(news)


def _receive(link: socket.socket) -> bytes:
    """The next packet; empty if there is nobody to send one any more."""
    try:
        return link.recv(warden.PACKET)
    except BlockingIOError:
        raise
    except OSError:
        return b""


@final
class _Ward:
    """A command in the care of a warden."""

    def __init__(self, line: _Line, lines: _Lines, request: bytes, start: Start) -> None:
        self._line = line
        self._lines = lines
        self._start = start
        self._exit: Exit | None = None
        self._prints = False
        self._reusable = False
        self._gone = False
        stdin = [] if start.stdin is None else [start.stdin]
        if len(request) < _INLINE:
            _send(line.link, b"R" + request, stdin)
        else:
            with _memory(request) as memory:
                _send(line.link, b"F", [memory.fileno(), *stdin])

    def fileno(self) -> int:
        return self._line.link.fileno()

    def look(self) -> Exit | None:
        with suppress(BlockingIOError):
            while not self._gone:
                self._take(_receive(self._line.link))
        return self._exit

    def _take(self, packet: bytes) -> None:
        match packet[:1]:
            case b"O":
                self._prints = True
            case b"X":
                self._take_exit(*packet[1:].split(b"\n", 1))
            case b"E" | b"N" as said:
                self._exit = Exit(code=None, refusal=refused(self._start, int(packet[1:])))
                self._gone, self._reusable = True, said == b"E"
            case b"G":
                self._gone = True
            case _:
                self._gone = True
                self._reusable = False
                self._exit = self._exit or Exit(code=None)

    def _take_exit(self, status: bytes, printed: bytes) -> None:
        code, user, system, kibibytes, left, over, out = status.split()
        self._exit = Exit(
            code=int(code),
            usage=ResourceUsage(
                user=timedelta(seconds=float(user)),
                system=timedelta(seconds=float(system)),
                memory=int(kibibytes) * 1024,
            ),
            printed=(printed[: int(out)], printed[int(out) :]),
        )
        self._gone = self._reusable = left == b"0"
        self._prints = over == b"0"

    def readable(self) -> Sequence[int]:
        return self._line.pipes if self._prints else ()

    def hang_up(self, *, drained: bool) -> None:
        self._reusable = self._reusable and drained
        if not self._reusable:
            self._line.hang_up()

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
            self._line.link.send(order)

    def release(self) -> None:
        if self._reusable:
            self._lines.idle.append(self._line)
        else:
            self._lines.close(self._line)


def _send(link: socket.socket, message: bytes, fds: list[int]) -> None:
    if fds:
        socket.send_fds(link, [message], fds)
    else:
        link.send(message)


@contextmanager
def _memory(text: bytes) -> Generator[BinaryIO]:
    """A file that holds a text, to be read from its beginning, and is nowhere on disk."""
    with os.fdopen(os.memfd_create("anabranch"), "w+b", buffering=0) as memory:
        memory.write(text)
        memory.seek(0)
        yield memory
