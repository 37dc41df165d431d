"""The small interface between the runner and the ways to start a process and end its tree."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Protocol

from attrs import frozen
from returns.result import Result

from anabranch.environment import CommandFault, ResourceUsage


@frozen(kw_only=True)
class Start:
    """A process to start.

    Attributes:
        argv: the program, looked for on the `PATH` of `env`, and its arguments.
        cwd: its working directory.
        env: its whole environment.
        stdin, stdout, stderr: file descriptors of ours that become its own.
    """

    argv: tuple[str, ...]
    cwd: str
    env: Mapping[bytes, bytes]
    stdin: int
    stdout: int
    stderr: int


def candidates(program: bytes, env: Mapping[bytes, bytes]) -> list[bytes]:
    """Where a program may be, in the order in which to look.

    >>> candidates(b"make", {b"PATH": b"/usr/local/bin:/bin"})
    [b'/usr/local/bin/make', b'/bin/make']
    """
    if b"/" in program:
        return [program]
    path = env.get(b"PATH", os.fsencode(os.defpath))
    return [place + b"/" + program if place else program for place in path.split(b":")]


@frozen(kw_only=True)
class Refusal:
    """Why a process could not be started."""

    fault: CommandFault
    message: str
    hint: str | None = None


@frozen(kw_only=True)
class Exit:
    """How the process itself ended.

    Attributes:
        code: negative for a signal; `None` if its exit status was lost, or never was.
        usage: what it used, where that is known.
        refusal: why it did not even start, if that turned out later.
    """

    code: int | None
    usage: ResourceUsage | None = None
    refusal: Refusal | None = None


class Child(Protocol):
    """A process that was started, and everything that it starts in turn: its tree."""

    def fileno(self) -> int:
        """A descriptor that is readable while there is news for `look`."""
        ...

    def look(self) -> Exit | None:
        """Take in the news; how the process itself ended, once it has."""
        ...

    def gone(self) -> bool:
        """Whether nothing of the tree is left, as far as can be known."""
        ...

    def lingers(self) -> bool:
        """Whether something of the tree is known to live on, now that the process has ended."""
        ...

    def ask(self) -> None:
        """Ask the whole tree to end (`SIGTERM`)."""
        ...

    def kill(self) -> None:
        """Kill the whole tree (`SIGKILL`)."""
        ...

    def release(self) -> None:
        """Let go of what was held for it."""
        ...


class Containment(Protocol):
    """A way to start processes so that their trees can be ended."""

    async def start(self, start: Start) -> Result[Child, Refusal]:
        """Start a process in a session without a terminal.

        Raises:
            ValueError: what it is to start makes no sense, such as an argument with a NUL.
            OSError: this process has not got what it takes, such as descriptors.
        """
        ...

    def close(self) -> None:
        """End whatever is left of what was started, at once, as far as it can be found."""
        ...
