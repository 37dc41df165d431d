"""Git processes that live as long as a run and answer many questions.

A question costs tens of microseconds instead of the millisecond that a process takes to start.
A helper that dies is started anew for the next question; so is one that has answered many, for
git keeps every object in memory that it has ever looked at.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import suppress
from threading import Lock
from typing import BinaryIO, Final

from attrs import define, field, frozen

from anabranch.services.git.runner import Git

_CHUNK: Final = 1 << 16
_ANSWERS: Final = 2_000


class HelperDied(Exception):  # noqa: N818 - an event, not an error: the caller asks in another way
    """The process ended before it had answered; `complaint` is what it said on standard error."""

    def __init__(self, complaint: bytes) -> None:
        super().__init__(complaint.decode(errors="backslashreplace").strip())
        self.complaint = complaint


@frozen(kw_only=True)
class _Running:
    """A process, and a file for what it says on standard error: a pipe would fill up."""

    process: subprocess.Popen[bytes]
    said: BinaryIO

    @property
    def has_ended(self) -> bool:
        """Whether somebody ended it while nobody asked."""
        return self.process.poll() is not None

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def read(self) -> bytes:
        assert self.process.stdout is not None
        return os.read(self.process.stdout.fileno(), _CHUNK)

    def end(self) -> bytes:
        """Let it see the end of its input, wait for its end, and read what it said."""
        with self.said, self.process:
            with suppress(BrokenPipeError):
                self.process.communicate()
            self.said.seek(0)
            return self.said.read(_CHUNK)


@define
class Helper:
    """One long-lived process. Whoever asks holds `lock` from the question to the answer's end.

    Attributes:
        git: runs it.
        arguments: what it is started as.
        before: a program that starts it, such as `stdbuf`.
        greeting: what it is told before the first question.
    """

    git: Git
    arguments: tuple[str, ...]
    before: tuple[str, ...] = ()
    greeting: bytes = b""
    lock: Lock = field(factory=Lock, init=False, repr=False)
    _running: _Running | None = field(default=None, init=False, repr=False)
    _buffer: bytes = field(default=b"", init=False, repr=False)
    _asked: int = field(default=0, init=False)

    def ask(self, question: bytes) -> None:
        """Send a question, to a process that is started if there is none.

        Raises:
            HelperDied: it cannot take the question.
        """
        if self._asked >= _ANSWERS or (self._running is not None and self._running.has_ended):
            self.close()
        greeting = b"" if self._running is not None else self.greeting
        running = self._running or self._start()
        self._asked += 1
        try:
            running.write(greeting + question)
        except BrokenPipeError:
            raise self._died() from None

    def until(self, mark: bytes) -> bytes:
        """Read up to a mark, which is dropped.

        Raises:
            HelperDied: it ended before the mark came.
        """
        searched = 0
        while (at := self._buffer.find(mark, searched)) < 0:
            searched = max(0, len(self._buffer) - len(mark) + 1)
            self._read_more()
        answer, self._buffer = self._buffer[:at], self._buffer[at + len(mark) :]
        return answer

    def exactly(self, size: int) -> bytes:
        """Read so many bytes.

        Raises:
            HelperDied: it ended before they came.
        """
        while len(self._buffer) < size:
            self._read_more()
        answer, self._buffer = self._buffer[:size], self._buffer[size:]
        return answer

    def close(self) -> bytes:
        """End the process, and answer what it said on standard error."""
        running, self._running = self._running, None
        self._buffer, self._asked = b"", 0
        return b"" if running is None else running.end()

    def _start(self) -> _Running:
        said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        process = subprocess.Popen(
            [*self.before, self.git.program, *self.arguments],
            cwd=self.git.directory,
            env=self.git.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            bufsize=0,
            process_group=0,
            pass_fds=self.git.held,
        )
        self._running = _Running(process=process, said=said)
        return self._running

    def _read_more(self) -> None:
        data = b"" if self._running is None else self._running.read()
        if not data:
            raise self._died()
        self._buffer += data

    def _died(self) -> HelperDied:
        return HelperDied(self.close())
