"""The pipes of one process, read and written as their other ends permit, without a thread.

While there is no pipe to look after, the event loop waits for the process alone. Otherwise one
`epoll` (or `kqueue`) object holds the pipes and the process; being a descriptor itself, it is all
that the event loop waits for.
"""

from __future__ import annotations

import os
import selectors
from contextlib import suppress
from fcntl import fcntl
from typing import Final, final

from anyio import wait_readable

from anabranch.environment import Captured
from anabranch.services.processes.capture import Stream
from anabranch.services.processes.child import Child, Exit

_CHUNK: Final = 1 << 16
_WIDE: Final = 1 << 18
_F_SETPIPE_SZ: Final = 1031


@final
class Input:
    """What a process is to read, on its way through a pipe.

    Attributes:
        theirs: the end to read from, to be given to the process; `None` for an empty input.
        ours: the end to write to, while there is something left to write.
    """

    def __init__(self, data: bytes | None) -> None:
        self._left = memoryview(data or b"")
        self.theirs: int | None = None
        self.ours: int | None = None

    def open(self) -> int | None:
        """Open the pipe, if there is anything to be read; their end of it.

        Raises:
            OSError: too many files are open.
        """
        if self._left:
            self.theirs, self.ours = os.pipe()
            os.set_blocking(self.ours, False)
        return self.theirs

    def given(self) -> None:
        """The process has its end. Twice is once."""
        if self.theirs is not None:
            os.close(self.theirs)
            self.theirs = None

    def write(self, fd: int) -> bool:
        """Write what can be written at once; whether there is more."""
        try:
            written = os.write(fd, self._left[:_CHUNK])
        except BrokenPipeError:
            written = len(self._left)
        self._left = self._left[written:]
        return bool(self._left)

    def close(self) -> None:
        """Let go of the pipe. Twice is once."""
        self.given()
        if self.ours is not None:
            os.close(self.ours)
            self.ours = None


class UnattendedError(Exception):
    """We have not got what it takes to attend a process; the argument is the `OSError`."""


@final
class Pump:
    """Feeds a process its input, takes in its outputs, and hears how it ends.

    Attributes:
        ended: how the process ended, once that was heard.
    """

    def __init__(self, child: Child, given: Input, streams: tuple[Stream, Stream]) -> None:
        self._child = child
        self._input = given
        self._streams = streams
        self._open: dict[int, Stream] = {}
        self._over: list[int] = []
        self._adopted = False
        self._size = _CHUNK
        self._selector: selectors.DefaultSelector | None = None
        self.ended: Exit | None = None

    def watch(self) -> None:
        """Begin."""
        self._input.given()
        if self._input.ours is not None:
            self._watch(self._input.ours, selectors.EVENT_WRITE)
        self._adopt()

    def _watch(self, fd: int, events: int) -> None:
        try:
            if self._selector is None:
                self._selector = selectors.DefaultSelector()
                self._selector.register(self._child, selectors.EVENT_READ)
            self._selector.register(fd, events)
        except OSError as error:
            raise UnattendedError(error) from None

    def _adopt(self) -> None:
        """Read outputs from now on if they are to be read."""
        if not self._adopted and (pipes := self._child.readable()):
            self._adopted = True
            self._open = dict(zip(pipes, self._streams, strict=True))
            for pipe in pipes:
                self._watch(pipe, selectors.EVENT_READ)

    def silence(self) -> None:
        """No longer tell the listeners."""
        for stream in self._streams:
            stream.silence()

    @property
    def finished(self) -> bool:
        """Whether the process has ended, and every output has come to its end."""
        return self.ended is not None and not self._open

    async def turn(self) -> None:
        """Wait until a pipe or the process has news, and take them in."""
        if self._selector is not None:
            while self._over:
                self._selector.unregister(self._over.pop())
        await wait_readable((self._selector or self._child).fileno())
        self.serve()

    def serve(self) -> None:
        """Take in and give out what can be moved at once."""
        if self.look() is not None:
            for fd in tuple(self._open):
                self._read(fd)
        if self._selector is not None and not self.finished:
            for key, _ in self._selector.select(0):
                if key.fd in self._open:
                    self._read(key.fd)
                elif key.fd == self._input.ours and not self._input.write(key.fd):
                    self._selector.unregister(key.fd)
                    self._input.close()

    def look(self) -> Exit | None:
        """Take in the news of the process; how it ended, once it has."""
        if self.ended is None:
            self.ended = self._child.look()
            self._adopt()
            if self.ended is not None:
                self._over.append(self._child.fileno())
                for stream, data in zip(self._streams, self.ended.printed, strict=True):
                    if data:
                        stream.feed(data)
        return self.ended

    def _read(self, fd: int) -> None:
        try:
            data = os.read(fd, self._size)
        except BlockingIOError:
            return
        if not data:
            del self._open[fd]
            self._over.append(fd)
            return
        if len(data) == _CHUNK == self._size:
            self._widen(fd)
        self._open[fd].feed(data)

    def _widen(self, fd: int) -> None:
        """A stream that fills its pipe gets a larger one, where the kernel has that to give."""
        self._size = _WIDE
        with suppress(OSError):
            fcntl(fd, _F_SETPIPE_SZ, _WIDE)

    def finish(self) -> tuple[Captured, Captured]:
        """No more will come of stdout and stderr: what has."""
        out, err = self._streams
        return out.finish(), err.finish()

    def close(self) -> None:
        """Let go of everything. Twice is once."""
        self._input.close()
        for stream in self._streams:
            stream.close()
        if self._selector is not None:
            self._selector.close()
