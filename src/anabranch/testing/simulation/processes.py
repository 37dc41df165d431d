"""Simulated processes: how long they take, what they do to their tree, how they end.

A process is a description, and running it takes no time but virtual time. What it does to its
working tree it does at its end, all at once; one that is ended before may have done it or not.
Whatever runs is in `alive` until it has ended, and so are the children that it leaves behind.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Final, TypeAlias

from attrs import evolve, field, frozen
from returns.result import Failure, Result, Success

from anabranch.environment import (
    Captured,
    CommandError,
    CommandFault,
    CommandOutput,
    Invocation,
    OutputListener,
)
from anabranch.interpreters.strands import Gate, virtual_grace, virtual_sleep
from anabranch.interpreters.virtual import Cancelled
from anabranch.program.places import KEY_VARIABLE, RUN_VARIABLE
from anabranch.testing.git import MemoryRepository, MemoryTree
from anabranch.testing.simulation.chance import Chance
from anabranch.values import split_lines

KEPT: Final = 1 << 16
"""How much of a stream the simulation keeps at each end, in bytes."""

_MUD: Final = b"~" * 63 + b"\n"


@frozen(kw_only=True)
class Process:
    """What a simulated command does.

    Attributes:
        exit_code: how it ends, if it ends by itself; it may depend on what its working tree
            holds when its work is done, as that of `test -e FILE` does.
        stdout, stderr: what it prints.
        takes: how long, in seconds; a pair is anything from the one to the other. One that
            takes none ends whenever the schedule says.
        work: what it does to the working tree that it runs in, such as to write and commit.
        flaky: how many of its first starts fail, with exit code 1 and no work done; whatever
            has the same idempotency key is one and the same.
        hangs: it never ends by itself.
        stubborn: it ignores SIGTERM: after its limit, or when it is cancelled, it ends when its
            time of grace is over.
        leaves: how many children it leaves running when it ends; they end with it where
            processes are contained.
        floods: how many bytes it prints, in lines, before everything else.
    """

    exit_code: int | Callable[[MemoryTree], int] = 0
    stdout: str = ""
    stderr: str = ""
    takes: float | tuple[float, float] = 0
    work: Callable[[MemoryTree], object] | None = None
    flaky: int = 0
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
class _Running:
    """A process that runs at this moment."""

    what: str
    process: Process
    invocation: Invocation

    def __str__(self) -> str:
        return self.what


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
        starts: how often something was started that is `flaky`, by its idempotency key.
    """

    scripts: Mapping[str, Script]
    repository: MemoryRepository
    chance: Chance
    contained: bool = True
    alive: dict[int, _Running] = field(factory=dict[int, _Running])
    starts: dict[str, int] = field(factory=dict[str, int])

    async def run(
        self, invocation: Invocation, listener: OutputListener | None = None
    ) -> Result[CommandOutput, CommandError]:
        """Run it to its end, and end what it leaves behind."""
        process = self._process(invocation)
        seconds = self._seconds(process)
        limit = None if invocation.timeout is None else invocation.timeout.total_seconds()
        number = self._begin(_Running(invocation.argv[-1], process, invocation))
        try:
            if limit is not None and (process.hangs or seconds > limit):
                await virtual_sleep(limit)
                return await self._timed_out(process, invocation, listener)
            if process.hangs:
                await Gate(f"`{invocation.argv[-1]}`, which hangs").wait()
            await virtual_sleep(seconds)
        except Cancelled:
            await self._told_to_end(process, invocation)
            raise
        finally:
            self._end(number)
        code = self._ended(process, invocation)
        return Success(_output(process, seconds, listener, code))

    def killed(self, run: str, *, finished: bool | None = None) -> None:
        """The process of anabranch that works on a run is dead, and its commands end with it.

        Args:
            run: which.
            finished: whether they had done their work by then; `None` leaves it to chance.
        """
        given = None if finished is None else int(finished)
        for number, one in list(self.alive.items()):
            if one.invocation.env.get(RUN_VARIABLE, run) == run:
                del self.alive[number]
                self._perhaps(one.process, one.invocation, given)

    def _begin(self, one: _Running) -> int:
        number = max(self.alive, default=0) + 1
        self.alive[number] = one
        return number

    def _end(self, number: int) -> None:
        one = self.alive.pop(number, None)
        if one is not None and not self.contained:
            for _ in range(one.process.leaves):
                self._begin(_Running(f"a child of {one}", Process(), one.invocation))

    def _process(self, invocation: Invocation) -> Process:
        asked = invocation.argv[-1]
        for pattern, script in self.scripts.items():
            if fnmatchcase(asked, pattern):
                found = script if isinstance(script, Process) else script(invocation)
                return self._counted(found, invocation) if found.flaky else found
        return Process()

    def _counted(self, process: Process, invocation: Invocation) -> Process:
        """One that is flaky, as it is this time."""
        key = invocation.env.get(KEY_VARIABLE) or invocation.argv[-1]
        count = self.starts[key] = self.starts.get(key, 0) + 1
        return evolve(process, exit_code=1, work=None) if count <= process.flaky else process

    def _seconds(self, process: Process) -> float:
        takes = process.takes
        return self.chance.between(*takes) if isinstance(takes, tuple) else takes

    def _work(self, process: Process, invocation: Invocation) -> None:
        if process.work is not None:
            process.work(self.repository.tree(invocation.cwd))

    def _ended(self, process: Process, invocation: Invocation) -> int:
        """Do its work; how it ends."""
        self._work(process, invocation)
        code = process.exit_code
        return code if isinstance(code, int) else code(self.repository.tree(invocation.cwd))

    def _perhaps(self, process: Process, invocation: Invocation, given: int | None = None) -> None:
        """A process that was ended had done its work already, or had not."""
        if process.work is not None and self.chance.pick(2, given=given):
            self._work(process, invocation)

    async def _told_to_end(self, process: Process, invocation: Invocation) -> float:
        """Whoever asked waits until it has ended; how long that takes, in seconds."""
        grace = invocation.grace.total_seconds() if process.stubborn else 0.0
        if grace:
            await virtual_grace(grace)
        self._perhaps(process, invocation)
        return grace

    async def _timed_out(
        self, process: Process, invocation: Invocation, listener: OutputListener | None
    ) -> Result[CommandOutput, CommandError]:
        grace = await self._told_to_end(process, invocation)
        limit = invocation.timeout or timedelta()
        code = -(signal.SIGKILL if process.stubborn else signal.SIGTERM)
        output = _output(process, limit.total_seconds() + grace, listener, code)
        message = f"`{invocation.argv[-1]}` took longer than {limit.total_seconds():g} s"
        fault = CommandFault.TIMED_OUT
        return Failure(
            CommandError(fault=fault, invocation=invocation, message=message, output=output)
        )


def _output(
    process: Process, seconds: float, listener: OutputListener | None, code: int
) -> CommandOutput:
    return CommandOutput(
        exit_code=code,
        stdout=_heard("stdout", process.stdout.encode(), listener, floods=process.floods),
        stderr=_heard("stderr", process.stderr.encode(), listener),
        duration=timedelta(seconds=seconds),
    )


def _heard(
    name: str, printed: bytes, listener: OutputListener | None, *, floods: int = 0
) -> Captured:
    """One stream, piece by piece: what a listener hears of it, and what is kept."""
    size, head, tail, rest = 0, b"", b"", b""
    for piece in _pieces(floods, printed):
        size += len(piece)
        room = KEPT - len(head)
        head, tail = head + piece[:room], (tail + piece[room:])[-KEPT:]
        lines, rest = split_lines(rest, piece)
        if listener is not None and lines:
            listener(name, lines)
    if listener is not None and rest:
        listener(name, [rest])
    return Captured(head=head, tail=tail, size=size)


def _pieces(floods: int, printed: bytes) -> Iterator[bytes]:
    """What comes through a pipe: a flood in pieces of a bounded size, then what was to be said."""
    whole, left = divmod(floods, KEPT)
    for _ in range(whole):
        yield _MUD * (KEPT // len(_MUD))
    if left:
        lines, rest = divmod(left, len(_MUD))
        yield _MUD * lines + _MUD[len(_MUD) - rest :]
    if printed:
        yield printed
