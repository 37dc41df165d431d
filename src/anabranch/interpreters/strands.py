"""What goes on in virtual time: strands and their turns, gates, and who may watch.

What goes on at one moment is a list of *turns*, each of a *strand*: a fiber under way, and what
it is told. A fiber that ends, a timer that fires and a gate that opens put turns on the list;
timers of the same moment fire together, so that their order is a choice, too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator
from contextvars import Context, ContextVar
from types import coroutine
from typing import Any, Final, Protocol, TypeAlias, final

from returns.result import Failure, Result, Success

from anabranch.interpreters.groups import Group
from anabranch.interpreters.machine import Fiber
from anabranch.interpreters.requests import OK, RAISED, Request


@final
class Grace:
    """Asked of the driver: go on after so many seconds, and not before, cancelled or not."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


@final
class Stand:
    """Asked of the driver: go on when the gate opens."""

    __slots__ = ("gate",)

    def __init__(self, gate: Gate) -> None:
        self.gate = gate


@final
class Halt:
    """Asked of the driver: end my root, and everything inside it, here and now."""

    __slots__ = ()


CLOCK_OF_RUN: Final[ContextVar[Callable[[], float] | None]] = ContextVar(
    "CLOCK_OF_RUN", default=None
)


def virtual_now() -> float | None:
    """Virtual time, in seconds from the start, for a coroutine in it; `None` outside."""
    clock = CLOCK_OF_RUN.get()
    return None if clock is None else clock()


@coroutine
def virtual_sleep(seconds: float) -> Generator[float, None, None]:
    """Wait in virtual time, in a coroutine that `run_virtual` drives: a number asks for so long."""
    yield seconds


@coroutine
def virtual_grace(seconds: float) -> Generator[Grace, None, None]:
    """Wait in virtual time, as clean-up does: from here to its end, nothing interrupts a coroutine."""
    yield Grace(seconds)


@coroutine
def virtual_halt() -> Generator[Halt, None, None]:
    """End everything that was started with this coroutine's root at once, as `kill -9` would."""
    yield Halt()


@final
class Gate:
    """Something that coroutines in virtual time wait for: each `open` lets all of them go on.

    Args:
        name: what it is, for whoever asks why nothing goes on.
    """

    __slots__ = ("_waiting", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._waiting: list[tuple[Callable[[Strand], None], Strand]] = []

    def wait(self) -> Awaitable[None]:
        """Wait for the next `open`."""
        return _stand(self)

    def open(self) -> None:
        """Let all who wait go on."""
        waiting, self._waiting = self._waiting, []
        for wake, strand in waiting:
            if strand.wait is self:
                wake(strand)

    def admit(self, strand: Strand, wake: Callable[[Strand], None]) -> None:
        """Take one who waits. The driver's."""
        self._waiting.append((wake, strand))


@coroutine
def _stand(gate: Gate) -> Generator[Stand, None, None]:
    yield Stand(gate)


# What a strand waits for, besides a gate.
CLOCK: Final = "the clock"
INSIDE: Final = "those inside it"

# What a turn tells a strand, besides the three ways to go on with its fiber.
SEND: Final = 3
THROW: Final = 4
EXPIRE: Final = 5


@final
class Strand:
    """A fiber under way. A worker that is hired again is under way again, as a new strand.

    Attributes:
        fiber: what runs.
        parent: whose effect started it; `None` for a root.
        context: the context variables in which it runs.
        number: which of its parent's children it is, from 0.
        name: of a root.
        wait: what it waits for: the clock, those inside it, a `Gate`; `None` while it has a turn.
        since: the number of its timer, or of its wait.
        send, throw: how its driver goes on with it.
        cancelled: whether it is to end; it is told at every wait that is not shielded.
        expired: whether it is cancelled because its time is over.
        done: whether it has ended, or was halted.
        children: those inside it that have not ended.
        group, limit: what its children are: the workers of a group, or an effect with a limit.
        workers: all the workers that the group has had.
    """

    __slots__ = (
        "cancelled",
        "children",
        "context",
        "done",
        "expired",
        "fiber",
        "group",
        "limit",
        "name",
        "number",
        "parent",
        "send",
        "shielded",
        "since",
        "spawned",
        "throw",
        "wait",
        "workers",
    )

    def __init__(
        self,
        fiber: Fiber,
        parent: Strand | None,
        context: Context,
        name: str = "main",
    ) -> None:
        self.fiber = fiber
        self.parent = parent
        self.context = context
        self.send: Callable[[Any], Any]
        self.throw: Callable[[BaseException], Any]
        self.number = 0
        self.name = name
        self.wait: Gate | str | None = None
        self.since = 0
        self.cancelled = self.shielded = self.expired = self.done = False
        self.children: dict[Strand, None] = {}
        self.spawned = 0
        self.group: Group | None = None
        self.limit: float | None = None
        self.workers: dict[Fiber, Strand] = {}

    def leave(self) -> None:
        """It has ended for good: nobody goes on with it."""
        del self.send, self.throw

    def result(self) -> Result[Any, Any]:
        """How the effect of a root ended.

        Raises:
            BaseException: what the effect raised.
        """
        fiber = self.fiber
        if fiber.mode is RAISED:
            raise fiber.payload
        return Success(fiber.payload) if fiber.mode is OK else Failure(fiber.payload)

    @property
    def path(self) -> tuple[object, ...]:
        """Where it is among all: the name of its root, then the number of each child."""
        inside: list[object] = []
        strand = self
        while strand.parent is not None:
            inside.append(strand.number)
            strand = strand.parent
        return (strand.name, *reversed(inside))

    @property
    def title(self) -> str:
        """What to call it for people: the name of its root, then the key of each job."""
        inside: list[str] = []
        strand = self
        while strand.parent is not None:
            if strand.parent.limit is None:
                job = strand.fiber.job
                inside.append(str(strand.number if job is None else job))
            strand = strand.parent
        return ".".join([strand.name, *reversed(inside)])


Turn: TypeAlias = tuple[Strand, int, Any]
"""A strand that can go on, what it is told, and with which value. Only the strand is public."""


class Watcher(Protocol):
    """Sees what strands do. Its methods must be quick and not raise."""

    def began(self, strand: Strand, mode: int, payload: Any) -> None:
        """A strand gets its turn, and what it is told; below 3 that is an `Exit`."""
        ...

    def asked(self, strand: Strand, request: Request) -> None:
        """A strand asks for something and waits."""
        ...

    def ended(self, strand: Strand) -> None:
        """A strand's effect ended; its fiber says how."""
        ...

    def cancelled(self, strand: Strand) -> None:
        """A strand was told to end."""
        ...

    def halted(self, strand: Strand) -> None:
        """A root and all inside it were ended at once."""
        ...


def tree(root: Strand) -> Iterator[Strand]:
    """A strand, then all inside it that have not ended."""
    waiting = [root]
    for strand in waiting:
        yield strand
        waiting.extend(strand.children)


def awaited(strand: Strand) -> str:
    """What a strand waits for, in words."""
    if strand.wait is INSIDE:
        return f"{len(strand.children)} inside it"
    leaf = strand.fiber.waiting_for
    if isinstance(strand.wait, Gate):
        return strand.wait.name if leaf is None else f"{strand.wait.name}, in {leaf!r}"
    return "its turn" if strand.wait is None else str(strand.wait)
