"""The small interface between the runner and the ways to start a process and end its tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from attrs import frozen
from returns.result import Result

from anabranch.environment import CommandFault, ResourceUsage
from anabranch.services.processes.inheritance import Inherited


@frozen(kw_only=True)
class Start:
    """A process to start.

    Attributes:
        argv: the program, looked for on the `PATH` of `env`, and its arguments.
        cwd: its working directory.
        inherited: what its environment begins with.
        own: what is added to that.
        stdin: a file descriptor of ours that becomes its own; `None` is an empty input.
    """

    argv: tuple[str, ...]
    cwd: str
    inherited: Inherited
    own: Mapping[bytes, bytes]
    stdin: int | None

    @property
    def env(self) -> dict[bytes, bytes]:
        """Its whole environment."""
        return {**self.inherited.variables, **self.own}


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
        printed: the last of stdout and of stderr, where that did not come through a pipe.
        refusal: why it did not even start, if that turned out later.
    """

    code: int | None
    usage: ResourceUsage | None = None
    printed: tuple[bytes, bytes] = (b"", b"")
    refusal: Refusal | None = None


class Child(Protocol):
    """A process that was started, and everything that it starts in turn: its tree."""

    def fileno(self) -> int:
        """A descriptor that is readable while there is news for `look`."""
        ...

    def look(self) -> Exit | None:
        """Take in the news; how the process itself ended, once it has."""
        ...

    def readable(self) -> Sequence[int]:
        """Descriptors to read stdout and stderr from by now; none while there is no need to."""
        ...

    def hang_up(self, *, drained: bool) -> None:
        """Its outputs are no longer read; whether all that were to be read came to their end."""
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

    def prepare(self) -> None:
        """Commands will come: begin with what they need, and do not wait for it."""
        ...

    def close(self) -> None:
        """End whatever is left of what was started, at once, as far as it can be found."""
        ...
