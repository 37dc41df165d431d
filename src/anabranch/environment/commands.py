"""Processes: what to run, what came of it, and the port."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from attrs import field, frozen
from returns.result import Result


@frozen(kw_only=True)
class Invocation:
    """A process to run.

    Attributes:
        argv: the program and its arguments; no shell is involved unless it says so.
        cwd: absolute path of the working directory.
        env: added to the inherited environment, never replacing it as a whole.
        stdin: what it reads; `None` is an empty input.
        timeout: after this the whole process tree is ended; `None` is no limit.
        grace: between asking the tree to end and killing it.
        label: where its output belongs, such as `agent-0/2`.
        files: what does not fit into the environment, by name: written into a private directory
            of its own, which is gone when the process has ended.
        files_variable: the variable that says where that directory is.
    """

    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str] = field(factory=dict[str, str])
    stdin: bytes | None = None
    timeout: timedelta | None = None
    grace: timedelta = timedelta(seconds=5)
    label: str = ""
    files: Mapping[str, bytes] = field(factory=dict[str, bytes])
    files_variable: str = ""


@frozen(kw_only=True)
class Captured:
    """One output stream, of which memory holds the head and the tail only.

    Attributes:
        head: the first bytes; all of them if the stream was short.
        tail: the last bytes, not overlapping the head; empty if the head holds all.
        size: how many bytes came in all.
        log: the file that holds everything, if there is one.
        shown: the end of it as people may see it, cut after its secrets were masked; `None` if
            nobody masked it on its way.
    """

    head: bytes = b""
    tail: bytes = b""
    size: int = 0
    log: str | None = None
    shown: bytes | None = None

    @classmethod
    def of(cls, data: bytes) -> Captured:
        """A short stream, held whole."""
        return cls(head=data, size=len(data))

    @property
    def complete(self) -> bool:
        """Whether head and tail are the whole stream."""
        return len(self.head) + len(self.tail) == self.size

    @property
    def text(self) -> str:
        """The stream as text: undecodable bytes are visible, a gap says how long it is."""
        gap = self.size - len(self.head) - len(self.tail)
        middle = f"\n… {gap} bytes left out …\n".encode() if gap else b""
        return (self.head + middle + self.tail).decode(errors="backslashreplace")


@frozen(kw_only=True)
class ResourceUsage:
    """What a process used, together with the children that it waited for.

    Attributes:
        user: processor time in its own code.
        system: processor time in the kernel.
        memory: the peak resident memory of the largest of them, in bytes. Linux counts in what
            started it: some 10 MiB, or all of this process where there is no helper.
    """

    user: timedelta
    system: timedelta
    memory: int


@frozen(kw_only=True)
class CommandOutput:
    """A process that ended by itself. `exit_code` is negative for a signal, as in `subprocess`."""

    exit_code: int
    stdout: Captured = field(factory=Captured)
    stderr: Captured = field(factory=Captured)
    duration: timedelta = timedelta()
    usage: ResourceUsage | None = None


class CommandFault(StrEnum):
    """Why a command is a failure."""

    EXIT = "exit"
    NOT_FOUND = "not_found"
    NOT_STARTED = "not_started"
    TIMED_OUT = "timed_out"


@frozen(kw_only=True)
class CommandError:
    """A command that failed: what was asked for, why, and what it had printed by then."""

    fault: CommandFault
    invocation: Invocation
    message: str
    output: CommandOutput | None = None
    hint: str | None = None

    def __str__(self) -> str:
        """The message, then the end of what the command printed."""
        printed = "" if self.output is None else self.output.stderr.text or self.output.stdout.text
        return f"{self.message}\n{printed.rstrip()}" if printed.strip() else self.message


OutputListener = Callable[[str, Sequence[bytes]], None]
"""Called with `stdout` or `stderr` and a list of lines, as they come; it must not block."""


class CommandRunner(Protocol):
    """Processes. An exit code is data: a failure here is a process that could not do its work."""

    async def run(
        self, invocation: Invocation, listener: OutputListener | None = None
    ) -> Result[CommandOutput, CommandError]:
        """Run it to its end. On timeout and cancellation the whole process tree is ended."""
        ...
