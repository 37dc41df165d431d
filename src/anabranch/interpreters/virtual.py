"""The simulator's driver: the same machine, in virtual time, one step at a time.

Nothing waits: when no fiber can go on, the clock jumps to the next moment at which one can.
Which of several runnable fibers goes first is the caller's choice, so a test can draw it
and replay it. Effects are run one at a time and to their next wait, in this thread, so a
schedule is a list of numbers, and the same list gives the same run.

Coroutines are driven by hand. They may await `virtual_sleep` and each other, but no real
event loop: there is none.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Generator
from datetime import timedelta
from types import CoroutineType, coroutine
from typing import Any, final

from attrs import define, field, frozen
from returns.result import Failure, Result, Success

from anabranch.effects.core import Effect, Exit
from anabranch.effects.errors import TimedOut
from anabranch.interpreters.frames import opened
from anabranch.interpreters.machine import Fiber
from anabranch.interpreters.requests import (
    FAILED,
    OK,
    RAISED,
    Await,
    CallBlocking,
    Fork,
    Pause,
    Request,
    Tracer,
    Within,
    Yield,
)

Choose = Callable[[int], int]
"""Given how many fibers can go on (at least 2), which one does: from 0."""


class Cancelled(BaseException):
    """A fiber is cancelled, in virtual time."""


class DeadlockError(Exception):
    """Every fiber waits, and nothing will ever wake one."""


@frozen
class _Nap:
    seconds: float


@coroutine
def virtual_sleep(seconds: float) -> Generator[_Nap, None, None]:
    """Wait in virtual time, in a coroutine that `run_virtual` drives."""
    yield _Nap(seconds)


@frozen
class VirtualRun:
    """A run in virtual time.

    Attributes:
        result: how the effect ended.
        elapsed: how much virtual time passed, in seconds.
        choices: how many could go on and which one did, wherever there was a choice.
    """

    result: Result[Any, Any]
    elapsed: float
    choices: tuple[tuple[int, int], ...]


def run_virtual(
    effect: Effect[Any, Any, Any],
    env: Any = None,
    *,
    choose: Choose = lambda _: 0,
    cancel_at: float | None = None,
    tracer: Tracer | None = None,
) -> VirtualRun:
    """Run an effect in virtual time.

    Args:
        effect: what to run.
        env: what it asks for.
        choose: which of several runnable fibers goes on; by default the one that has been
            runnable longest.
        cancel_at: the moment at which the run is cancelled from outside, in seconds.
        tracer: sees every labelled effect start and end.

    Raises:
        Cancelled: it was cancelled from outside before its end.
        DeadlockError: nothing can go on; it names who waits for what.

    >>> from anabranch import par_all, sleep
    >>> run_virtual(par_all([sleep("1h"), sleep("2h")])).elapsed
    7200.0
    """
    driver = _Virtual(choose, tracer)
    root = driver.start(Fiber(driver, effect, env), None)
    driver.run(root, cancel_at)
    fiber = root.fiber
    if fiber.mode is RAISED:
        raise fiber.payload
    result = Success(fiber.payload) if fiber.mode is OK else Failure(fiber.payload)
    return VirtualRun(result, driver.now(), tuple(driver.choices))


@define(eq=False)
class _Timer:
    """Something to do later, unless it is called off before."""

    action: Callable[[], None]
    alive: bool = True

    def call_off(self) -> None:
        self.alive = False


@define(eq=False)
class _Strand:
    """A fiber under way.

    Attributes:
        wake: how it is interrupted where it waits; `None` if it cannot be, or does not wait.
        cancelled: whether it is to end; it is told at every wait that is not shielded.
        alive: how many fibers inside it have not ended.
    """

    fiber: Fiber
    parent: _Strand | None
    wake: Callable[[], None] | None = None
    cancelled: bool = False
    shielded: bool = False
    done: bool = False
    children: list[_Strand] = field(factory=list["_Strand"])
    finish: Callable[[], tuple[Exit, Any]] | None = None


@final
class _Virtual:
    """Carries out the requests of fibers on a clock of its own."""

    eager: bool = False

    def __init__(self, choose: Choose, tracer: Tracer | None) -> None:
        self.tracer = tracer
        self.choices: list[tuple[int, int]] = []
        self._choose = choose
        self._clock = 0.0
        self._ready: list[Callable[[], None]] = []
        self._timers: list[tuple[float, int, _Timer]] = []
        self._numbers = itertools.count()
        self._strands: list[_Strand] = []

    def now(self) -> float:
        """Virtual time, in seconds from the start."""
        return self._clock

    def start(self, fiber: Fiber, parent: _Strand | None) -> _Strand:
        """Make a fiber runnable."""
        strand = _Strand(fiber, parent)
        self._strands.append(strand)
        if parent is not None:
            parent.children.append(strand)
            strand.cancelled = parent.cancelled and not parent.shielded
        self._soon(strand, OK, None)
        return strand

    def run(self, root: _Strand, cancel_at: float | None) -> None:
        """Go on until nothing is left to do."""
        if cancel_at is not None:
            self._later(cancel_at, lambda: self._cancel(root))
        while self._ready or self._timers:
            if not self._ready:
                moment, _, timer = heapq.heappop(self._timers)
                if timer.alive and not root.done:
                    self._clock = moment
                    timer.action()
                continue
            self._ready.pop(self._chosen(len(self._ready)))()
        waiting = [strand for strand in self._strands if not strand.done]
        if waiting:
            raise DeadlockError("\n".join(["nothing can go on", *map(_told, waiting)]))

    def _chosen(self, count: int) -> int:
        if count == 1:
            return 0
        choice = self._choose(count)
        self.choices.append((count, choice))
        return choice

    def _soon(self, strand: _Strand, mode: Exit, payload: Any) -> None:
        strand.wake = None
        self._ready.append(lambda: self._go_on(strand, mode, payload))

    def _go_on(self, strand: _Strand, mode: Exit, payload: Any) -> None:
        request = strand.fiber.advance(mode, payload)
        if request is None:
            self._ended(strand)
            return
        strand.shielded = not isinstance(request, CoroutineType) and request.shielded
        self._carry_out(strand, request)

    def _carry_out(self, strand: _Strand, request: Request) -> None:
        match request:
            case CoroutineType():
                self._step(strand, request, lambda: request.send(None))
            case Await():
                made = request.awaitable.__await__()
                self._step(strand, made, lambda: made.send(None))
            case CallBlocking():
                self._call(strand, request)
            case Pause():
                self._pause(strand, request.seconds)
            case Yield():
                self._pause(strand, 0)
            case Fork():
                self._fork(strand, request)
            case Within():
                self._within(strand, request)

    def _call(self, strand: _Strand, request: CallBlocking) -> None:
        try:
            mode, payload = opened(request.function())
        except BaseException as error:  # noqa: BLE001 (belongs to the fiber)
            mode, payload = RAISED, error
        self._soon(strand, mode, payload)

    def _later(self, seconds: float, action: Callable[[], None]) -> _Timer:
        timer = _Timer(action)
        heapq.heappush(self._timers, (self._clock + seconds, next(self._numbers), timer))
        return timer

    def _pause(self, strand: _Strand, seconds: float) -> None:
        timer = self._later(seconds, lambda: self._soon(strand, OK, None))

        def interrupt() -> None:
            timer.call_off()
            self._soon(strand, RAISED, Cancelled())

        self._wait(strand, interrupt)

    def _wait(self, strand: _Strand, interrupt: Callable[[], None]) -> None:
        strand.wake = None if strand.shielded else interrupt
        if strand.cancelled and strand.wake is not None:
            interrupt()

    def _step(self, strand: _Strand, made: Any, go: Callable[[], Any]) -> None:
        """Drive a coroutine to its next nap, or to its end."""
        try:
            nap = go()
        except StopIteration as stop:
            mode, payload = _answer(stop.value)
            self._soon(strand, mode, payload)
        except BaseException as error:  # noqa: BLE001 (belongs to the fiber)
            self._soon(strand, RAISED, error)
        else:
            if isinstance(nap, _Nap):
                self._nap(strand, made, nap.seconds)
            else:
                reason = RuntimeError("it waits for an event loop, and virtual time has none")
                self._step(strand, made, lambda: made.throw(reason))

    def _nap(self, strand: _Strand, made: Any, seconds: float) -> None:
        def go_on(go: Callable[[], Any]) -> None:
            strand.wake = None
            self._ready.append(lambda: self._step(strand, made, go))

        timer = self._later(seconds, lambda: go_on(lambda: made.send(None)))

        def interrupt() -> None:
            timer.call_off()
            go_on(lambda: made.throw(Cancelled()))

        self._wait(strand, interrupt)

    def _fork(self, strand: _Strand, fork: Fork) -> None:
        def spawn(worker: Fiber, _: Request | None) -> None:
            child = self.start(worker, strand)
            child.cancelled = child.cancelled or fork.group.stopped

        def outcome() -> tuple[Exit, Any]:
            if strand.cancelled and not strand.shielded:
                return RAISED, fork.group.defect() or Cancelled()
            return fork.group.outcome()

        strand.finish = outcome
        self._wait(strand, lambda: self._cancel_inside(strand))
        fork.group.connect(spawn, lambda: self._cancel_inside(strand))
        for worker, request in fork.started:
            spawn(worker, request)

    def _within(self, strand: _Strand, within: Within) -> None:
        child = self.start(within.fiber, strand)
        late = False

        def expire() -> None:
            nonlocal late
            late = True
            self._cancel(child)

        timer = self._later(within.seconds, expire)

        def outcome() -> tuple[Exit, Any]:
            timer.call_off()
            fiber = within.fiber
            if not isinstance(fiber.payload, Cancelled):
                return fiber.mode, fiber.payload
            if late and not (strand.cancelled and not strand.shielded):
                return FAILED, TimedOut(timedelta(seconds=within.seconds))
            return RAISED, fiber.payload

        strand.finish = outcome
        self._wait(strand, lambda: self._cancel_inside(strand))

    def _cancel_inside(self, strand: _Strand) -> None:
        for child in list(strand.children):
            self._cancel(child)

    def _cancel(self, strand: _Strand) -> None:
        if not strand.cancelled and not strand.done:
            strand.cancelled = True
            if strand.wake is not None:
                strand.wake()

    def _ended(self, strand: _Strand) -> None:
        strand.done = True
        parent = strand.parent
        if parent is None:
            return
        parent.children.remove(strand)
        if not parent.children and parent.finish is not None:
            finish, parent.finish = parent.finish, None
            self._soon(parent, *finish())


def _answer(value: Any) -> tuple[Exit, Any]:
    try:
        return opened(value)
    except TypeError as error:
        return RAISED, error


def _told(strand: _Strand) -> str:
    leaf = strand.fiber.waiting_for
    if strand.children:
        return f"  a fiber waits for {len(strand.children)} inside it"
    return f"  a fiber waits for {leaf!r}" if leaf is not None else "  a fiber waits"
