"""The pipes of one process, read and written as their other ends permit, without a thread.

One `epoll` (or `kqueue`) object holds the pipes and the process; being a descriptor itself,
it is all that the event loop waits for.

The ends that outputs are written to stay open here, too, until the process has ended: so a process
that exits wakes the event loop up once, and not for the end of each output before.
"""

from __future__ import annotations

import os
import selectors
from collections.abc import Mapping
from contextlib import suppress
from fcntl import fcntl
from typing import Final, final

from anyio import wait_readable

from anabranch.services.processes.capture import Stream
from anabranch.services.processes.child import Child

_CHUNK: Final = 1 << 16
_WIDE: Final = 1 << 18
_F_SETPIPE_SZ: Final = 1031


@final
class Pump:
    """Feeds `stdin` and takes in the outputs.

    Attributes:
        ends: the other ends of the pipes by name, to be given to the process.
    """

    def __init__(self, stdin: bytes | None, outputs: Mapping[str, Stream]) -> None:
        """Open the pipes.

        Raises:
            OSError: too many files are open.
        """
        self._selector = selectors.DefaultSelector()
        self._outputs: dict[int, Stream] = {}
        self._size = _CHUNK
        self._input = memoryview(stdin or b"")
        self._stdin: int | None = None
        self.ends: dict[str, int] = {}
        try:
            for name, stream in outputs.items():
                self._open_output(name, stream)
            self._open_input()
        except OSError:
            self.close()
            raise

    def _open_output(self, name: str, stream: Stream) -> None:
        ours, self.ends[name] = os.pipe()
        os.set_blocking(ours, False)
        self._outputs[ours] = stream
        self._selector.register(ours, selectors.EVENT_READ)

    def _open_input(self) -> None:
        if not self._input:
            self.ends["stdin"] = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            return
        self.ends["stdin"], self._stdin = os.pipe()
        os.set_blocking(self._stdin, False)
        self._selector.register(self._stdin, selectors.EVENT_WRITE)

    def watch(self, child: Child) -> None:
        """Wake up for news of the process, too, now that it has its ends."""
        os.close(self.ends.pop("stdin"))
        self._selector.register(child, selectors.EVENT_READ)

    def forget(self, child: Child) -> None:
        """The process has ended: wake up only for what is left of its outputs. Twice is once."""
        self._close_ends()
        with suppress(KeyError):
            self._selector.unregister(child)

    def _close_ends(self) -> None:
        while self.ends:
            os.close(self.ends.popitem()[1])

    def silence(self) -> None:
        """No longer tell the listeners."""
        for stream in self._outputs.values():
            stream.silence()

    @property
    def finished(self) -> bool:
        """Whether every output has come to its end."""
        return not self._outputs

    async def turn(self) -> None:
        """Wait until a pipe or the process has news, and serve the pipes."""
        await wait_readable(self._selector.fileno())
        self.serve()

    def serve(self) -> None:
        """Take in and give out what can be moved at once."""
        for key, _ in self._selector.select(0):
            if key.fd in self._outputs:
                self._read(key.fd)
            elif key.fd == self._stdin:
                self._write(key.fd)

    def _read(self, fd: int) -> None:
        data = os.read(fd, self._size)
        if not data:
            del self._outputs[fd]
            self._close(fd)
            return
        if len(data) == _CHUNK == self._size:
            self._widen(fd)
        self._outputs[fd].feed(data)

    def _widen(self, fd: int) -> None:
        """A stream that fills its pipe gets a larger one, where the kernel has that to give."""
        self._size = _WIDE
        with suppress(OSError):
            fcntl(fd, _F_SETPIPE_SZ, _WIDE)

    def _write(self, fd: int) -> None:
        try:
            written = os.write(fd, self._input[:_CHUNK])
        except BrokenPipeError:
            written = len(self._input)
        self._input = self._input[written:]
        if not self._input:
            self._stdin = None
            self._close(fd)

    def _close(self, fd: int) -> None:
        self._selector.unregister(fd)
        os.close(fd)

    def close(self) -> None:
        """Let go of everything. Twice is once."""
        self._close_ends()
        for fd in [*self._outputs, *([] if self._stdin is None else [self._stdin])]:
            os.close(fd)
        self._outputs.clear()
        self._stdin = None
        self._selector.close()
