"""Simulated processes: how long they take, what they do to their tree, how they end.

A process is a description, and running it takes no time but virtual time. What it does to its
working tree it does at its end, all at once; one that is ended before may have done it or not.
Whatever runs is in `alive` until it has ended, and so are the children that it leaves behind.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Final, TypeAlias

from attrs import field, frozen
from returns.result import Failure, Result, Success

from anabranch.environment import (
    Captured,
    CommandError,
    CommandFault,
    CommandOutput,
    Invocation,
    OutputListener,
)
from anabranch.interpreters.strands import Gate, virtual_sleep
from anabranch.interpreters.virtual import Cancelled
from anabranch.testing.git import MemoryRepository, MemoryTree
from anabranch.testing.simulation.chance import Chance
from anabranch.values import lines_of

KEPT: Final = 1 << 16
"""How much of a stream the simulation keeps at each end, in bytes."""


@frozen(kw_only=True)
class Process:
    """What a simulated command does.

    Attributes:
        exit_code: how it ends, if it ends by itself.
        stdout, stderr: what it prints.
        takes: how long, in seconds; a pair is anything from the one to the other. One that
            takes none ends whenever the schedule says.
        work: what it does to the working tree that it runs in, such as to write and commit.
        hangs: it never ends by itself.
        stubborn: it ignores SIGTERM: after its limit, it ends when its time of grace is over.
        leaves: how many children it leaves running when it ends; they end with it where
            processes are contained.
        floods: how many bytes it prints before everything else; a listener hears nothing of them.
    """

    exit_code: int = 0
    stdout: str = ""
    stderr: str = ""
    takes: float | tuple[float, float] = 0
    work: Callable[[MemoryTree], object] | None = None
    hangs: bool = False
    stubborn: bool = False
    leaves: int = 0
    floods: int = 0


Script: TypeAlias = Process | Callable[[Invocation], Process]
"""What a command does: always the same, or as its invocation says."""


def commits(
    path: str = "", content: str = "", *, message: str = "work"
) -> Callable[[MemoryTree], object]:
    """Work for a process: write a file and commit it.

    Args:
        path: of the file; by default one that is named after the tree.
        content: of the file; by default the path of the tree.
        message: of the commit.
    """

    def work(tree: MemoryTree) -> None:
        name = tree.path.rpartition("/")[2]
        tree.commit({path or f"{name}.txt": content or tree.path}, message)

    return work


@frozen
class SimulatedCommands:
    """A `CommandRunner` over descriptions.

    Attributes:
        scripts: what commands do, by pattern on their last argument; the first that fits. What
            none fits does nothing and succeeds.
        repository: where they work.
        chance: decides how long they take.
        contained: whether the children that a process leaves behind end with it.
        alive: what runs at this moment: a number for each process, and what it is.
    """

    scripts: Mapping[str, Script]
    repository: MemoryRepository
    chance: Chance
    contained: bool = True
    alive: dict[int, str] = field(factory=dict[int, str])

    async def run(
        self, invocation: Invocation, listener: OutputListener | None = None
    ) -> Result[CommandOutput, CommandError]:
        """Run it to its end, and end what it leaves behind."""
        process = self._process(invocation)
        seconds = self._seconds(process)
        limit = None if invocation.timeout is None else invocation.timeout.total_seconds()
        number = self._begin(invocation.argv[-1])
        try:
            if limit is not None and (process.hangs or seconds > limit):
                await virtual_sleep(limit)
                return await self._timed_out(process, invocation, listener)
            if process.hangs:
                await Gate(f"`{invocation.argv[-1]}`, which hangs").wait()
            await virtual_sleep(seconds)
        except Cancelled:
            self._perhaps(process, invocation)
            raise
        finally:
            self._end(number, process)
        self._work(process, invocation)
        return Success(_output(process, seconds, listener))

    def _begin(self, what: str) -> int:
        number = max(self.alive, default=0) + 1
        self.alive[number] = what
        return number

    def _end(self, number: int, process: Process) -> None:
        what = self.alive.pop(number, "")
        if not self.contained:
            for _ in range(process.leaves):
                self._begin(f"a child of {what}")

    def _process(self, invocation: Invocation) -> Process:
        asked = invocation.argv[-1]
        for pattern, script in self.scripts.items():
            if fnmatchcase(asked, pattern):
                return script if isinstance(script, Process) else script(invocation)
        return Process()

    def _seconds(self, process: Process) -> float:
        takes = process.takes
        return self.chance.between(*takes) if isinstance(takes, tuple) else takes

    def _work(self, process: Process, invocation: Invocation) -> None:
        if process.work is not None:
            process.work(self.repository.tree(invocation.cwd))

    def _perhaps(self, process: Process, invocation: Invocation) -> None:
        """A process that was ended had done its work already, or had not."""
        if process.work is not None and self.chance.pick(2):
            self._work(process, invocation)

    async def _timed_out(
        self, process: Process, invocation: Invocation, listener: OutputListener | None
    ) -> Result[CommandOutput, CommandError]:
        grace = invocation.grace.total_seconds() if process.stubborn else 0.0
        await virtual_sleep(grace)
        self._perhaps(process, invocation)
        limit = invocation.timeout or timedelta()
        output = _output(process, limit.total_seconds() + grace, listener, _ending(process))
        message = f"`{invocation.argv[-1]}` took longer than {limit.total_seconds():g} s"
        fault = CommandFault.TIMED_OUT
        return Failure(
            CommandError(fault=fault, invocation=invocation, message=message, output=output)
        )


def _ending(process: Process) -> int:
    return -(signal.SIGKILL if process.stubborn else signal.SIGTERM)


def _output(
    process: Process, seconds: float, listener: OutputListener | None, code: int | None = None
) -> CommandOutput:
    printed = process.stdout.encode()
    if listener is not None:
        for name, data in (("stdout", printed), ("stderr", process.stderr.encode())):
            if lines := lines_of(data):
                listener(name, lines)
    flood, whole = b"\0" * min(process.floods, KEPT), process.floods <= KEPT
    return CommandOutput(
        exit_code=process.exit_code if code is None else code,
        stdout=Captured(
            head=flood + printed if whole else flood,
            tail=b"" if whole else printed,
            size=process.floods + len(printed),
        ),
        stderr=Captured.of(process.stderr.encode()),
        duration=timedelta(seconds=seconds),
    )
