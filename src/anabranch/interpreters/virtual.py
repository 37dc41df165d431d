"""The simulator's driver: the same machine, in virtual time, one step at a time.

Nothing waits: when no fiber can go on, the clock jumps to the next moment at which one can.
Which of several runnable fibers goes first is the caller's choice, so a test can draw it
and replay it. Effects are run one at a time and to their next wait, in this thread, so a
schedule is a list of numbers, and the same list gives the same run.

Coroutines are driven by hand. They may await `virtual_sleep`, a `Gate` and each other, but no
real event loop: there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextvars import Context, copy_context
from datetime import timedelta
from heapq import heappop, heappush
from types import CoroutineType, coroutine
from typing import Any, Final, final

from attrs import frozen
from returns.result import Result, Success

from anabranch.effects.core import Effect, Exit
from anabranch.effects.errors import TimedOut
from anabranch.interpreters.frames import class_of, opened
from anabranch.interpreters.machine import Fiber, as_any
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
    Until,
    Within,
    Yield,
)
from anabranch.interpreters.strands import (
    CLOCK,
    CLOCK_OF_RUN,
    EXPIRE,
    INSIDE,
    SEND,
    THROW,
    Gate,
    Grace,
    Halt,
    Stand,
    Strand,
    Turn,
    Watcher,
    awaited,
    tree,
)

Choose = Callable[[int], int]
"""Given how many fibers can go on (at least 2), which one does: from 0."""

MAX_TURNS: Final = 1_000_000
"""How many turns a run may take before it is said to go on for ever."""


NOTHING: Final = object()
"""What a strand gives that asks for nothing but its next turn."""


class Cancelled(BaseException):
    """A fiber is cancelled, in virtual time."""


class DeadlockError(Exception):
    """Every fiber waits, and nothing will ever wake one."""


class LivelockError(Exception):
    """The run goes on and on, and does not come to an end."""


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
        LivelockError: it goes on for ever.

    >>> from anabranch import par_all, sleep
    >>> run_virtual(par_all([sleep("1h"), sleep("2h")])).elapsed
    7200.0
    """
    choices: list[tuple[int, int]] = []

    def chosen(turns: list[Turn]) -> int:
        choice = choose(len(turns))
        choices.append((len(turns), choice))
        return choice

    driver = Virtual(chosen, tracer=tracer)
    root = driver.start(effect, env, cancel_at=cancel_at)
    driver.run()
    return VirtualRun(root.result(), driver.now(), tuple(choices))


# --- the driver --------------------------------------------------------------------------------


@final
class Virtual:
    """Carries out the requests of fibers on a clock of its own.

    Args:
        choose: which of several turns comes first.
        tracer: sees every labelled effect start and end.
        watcher: sees what strands do.
        max_turns: after that many the run is said to go on for ever.
    """

    eager: bool = False

    def __init__(
        self,
        choose: Callable[[list[Turn]], int],
        *,
        tracer: Tracer | None = None,
        watcher: Watcher | None = None,
        max_turns: int = MAX_TURNS,
    ) -> None:
        self.tracer = tracer
        self.watcher = watcher
        self._choose = choose
        self._max_turns = max_turns
        self._turns: Iterator[int] = iter(())
        self._clock = 0.0
        self._ready: list[Turn] = []
        self._timers: list[tuple[float, int, Strand]] = []
        self._numbers = 0
        self._roots: list[Strand] = []
        self._on_halt: dict[Strand, Callable[[], object]] = {}

    def now(self) -> float:
        """Virtual time, in seconds from the start."""
        return self._clock

    def start(
        self,
        effect: Effect[Any, Any, Any],
        env: Any,
        *,
        name: str = "main",
        cancel_at: float | None = None,
        on_halt: Callable[[], object] | None = None,
    ) -> Strand:
        """Make an effect runnable, as a root of its own.

        Args:
            effect: what to run.
            env: what it asks for.
            name: what to call it.
            cancel_at: after how many seconds it is cancelled from outside.
            on_halt: called when it was halted.
        """
        root = self._strand(Fiber(self, effect, env), None, copy_context(), name)
        self._roots.append(root)
        if on_halt is not None:
            self._on_halt[root] = on_halt
        if cancel_at is not None:
            self._expire_after(root, cancel_at)
        self._ready.append((root, SEND, None))
        return root

    def run(self) -> None:
        """Go on until nothing is left to do.

        Raises:
            DeadlockError, LivelockError: it does not come to an end.
        """
        for root in self._roots:
            root.context.run(CLOCK_OF_RUN.set, self.now)
        token = CLOCK_OF_RUN.set(self.now)
        try:
            self._run()
        finally:
            CLOCK_OF_RUN.reset(token)
            self._dismiss()

    def _dismiss(self) -> None:
        """Give up what is still under way, and hold on to nothing."""
        for root in self._roots:
            for strand in tree(root):
                strand.done = True
        self._roots.clear()
        self._on_halt.clear()

    def _run(self) -> None:  # noqa: C901, PLR0912 (as `_course`)
        ready, choose, watcher = self._ready, self._choose, self.watcher
        self._turns = iter(range(self._max_turns))
        for _ in self._turns:
            if ready:
                strand, mode, payload = ready.pop(choose(ready) if len(ready) > 1 else 0)
            elif (due := self._tick()) is not None:
                strand, mode, payload = due
            else:
                break
            if strand.done:
                continue
            if watcher is not None:
                watcher.began(strand, mode, payload)
            if mode == SEND:
                asked = strand.context.run(strand.send, None)
            else:
                asked = self._tell(strand, mode, payload)
            if type(asked) is float:
                self._wait_until(strand, asked)
            elif asked is not NOTHING:
                self._grant(strand, asked)
        else:
            if ready or self._tick() is not None:
                raise LivelockError(self._endless())
        if any(not root.done for root in self._roots):
            raise DeadlockError(self._stuck())

    # --- time

    def _tick(self) -> Turn | None:
        """Move the clock to the next moment at which something happens, and take a turn of it."""
        ready, timers, due = self._ready, self._timers, None
        while timers and (due is None or timers[0][0] == self._clock):
            moment, number, strand = heappop(timers)
            if strand.since == number:
                strand.wait, strand.since = None, 0
                turn: Turn = strand, SEND, None
            elif number < 0 and not strand.done:
                turn = strand, EXPIRE, None
            else:
                continue
            if due is not None:
                ready.append(due)
            self._clock, due = moment, turn
        if due is None or not ready:
            return due
        ready.append(due)
        return ready.pop(self._choose(ready))

    def _awake(self, strand: Strand) -> None:
        """Give it a turn, since what it waited for has come."""
        strand.wait, strand.since = None, 0
        self._ready.append((strand, SEND, None))

    def _wait_until(self, strand: Strand, seconds: float) -> None:
        strand.since = self._numbers = number = self._numbers + 1
        heappush(self._timers, (self._clock + seconds, number, strand))
        strand.wait = CLOCK
        if strand.cancelled:
            self._wait(strand, CLOCK)

    def _expire_after(self, strand: Strand, seconds: float) -> None:
        self._numbers += 1
        heappush(self._timers, (self._clock + seconds, -self._numbers, strand))

    # --- turns

    def _strand(
        self, fiber: Fiber, parent: Strand | None, context: Context, name: str = "main"
    ) -> Strand:
        strand = Strand(fiber, parent, context, name)
        course = as_any(self._course(strand))
        strand.send, strand.throw = course.send, course.throw
        return strand

    @coroutine
    def _course(  # noqa: C901, PLR0912 (the loop of every simulated run: split, it costs calls)
        self, strand: Strand
    ) -> Generator[Any, Any, None]:
        """A strand's way through its requests, in its context variables.

        It gives what the coroutine that it is inside of asks for, and `NOTHING` where it waits
        for a turn. A strand that was given up goes no further, whatever its coroutine makes of
        being closed.
        """
        ready, watcher, turns = self._ready, self.watcher, self._turns
        advance: Callable[[Any, Any], Any] = as_any(strand.fiber.advance)
        mode, payload = as_any(OK), as_any(None)
        while True:
            request = advance(mode, payload)
            if request is None:
                self._ended(strand)
                yield NOTHING  # for good, unless it is a worker that is hired again
                mode, payload = OK, None
                continue
            if watcher is not None:
                watcher.asked(strand, request)
            if class_of(request) is CoroutineType:
                strand.shielded = False
                made: Generator[Any, Any, Any] = request
            elif class_of(request) is Await:
                strand.shielded = request.shielded
                made = request.awaitable.__await__()
            else:
                mode, payload = yield from self._carry_out(strand, request)
                continue
            try:
                answer: Any = yield from made
                if class_of(answer) is Success:
                    mode, payload = OK, answer.unwrap()
                else:
                    mode, payload = opened(answer)
            except BaseException as raised:  # noqa: BLE001 (belongs to the fiber)
                mode, payload = RAISED, raised
            if strand.done:
                return
            if ready:
                ready.append((strand, mode, payload))
                yield NOTHING
                continue
            if next(turns, None) is None:
                raise LivelockError(self._endless())
            if watcher is not None:
                watcher.began(strand, mode, payload)

    def _tell(self, strand: Strand, mode: int, payload: Any) -> Any:
        """Tell a strand more than to go on; what it asks for then."""
        if mode == EXPIRE:
            strand.expired = True
            self._cancel(strand)
            return NOTHING
        if mode == THROW:
            return strand.context.run(strand.throw, payload)
        return strand.context.run(strand.send, (mode, payload))

    def _grant(self, strand: Strand, asked: object) -> None:
        """Let a coroutine wait for what it asked for; it is told if that is nothing known here."""
        while asked is not NOTHING:
            match asked:
                case float() | int():
                    self._wait_until(strand, asked)
                case Stand():
                    asked.gate.admit(strand, self._awake)
                    self._wait(strand, asked.gate)
                case Halt():
                    self._halt(strand)
                case Grace():
                    strand.shielded = True
                    self._wait_until(strand, asked.seconds)
                case _:
                    reason = RuntimeError("it waits for an event loop, and virtual time has none")
                    asked = strand.context.run(strand.throw, reason)
                    continue
            return

    def _carry_out(
        self, strand: Strand, request: CallBlocking | Pause | Until | Yield | Fork | Within
    ) -> Generator[Any, Any, tuple[Any, Any]]:
        """Do what a fiber asks for; the answer."""
        strand.shielded = request.shielded
        match request:
            case Pause():
                self._wait_until(strand, request.seconds)
            case CallBlocking():
                self._call(strand, request)
            case Until():
                self._wait_for(strand, request)
            case Yield():
                self._wait_until(strand, 0)
            case Fork():
                self._fork(strand, request)
            case Within():
                self._within(strand, request)
        try:
            return (yield NOTHING) or (OK, None)
        except Cancelled as cancelled:
            return RAISED, cancelled

    def _wait_for(self, strand: Strand, until: Until) -> None:
        gate = Gate("a turn")
        gate.admit(strand, self._awake)
        self._wait(strand, gate)
        until.register(gate.open)

    def _call(self, strand: Strand, request: CallBlocking) -> None:
        try:
            mode, payload = opened(strand.context.copy().run(request.function))
        except BaseException as error:  # noqa: BLE001 (belongs to the fiber)
            mode, payload = RAISED, error
        self._ready.append((strand, mode, payload))

    def _fork(self, strand: Strand, fork: Fork) -> None:
        group = strand.group = fork.group
        self._wait(strand, INSIDE)

        def spawn(worker: Fiber, _: Request | None, context: Context) -> None:
            child = strand.workers.get(worker)
            if child is None:
                child = strand.workers[worker] = self._strand(worker, strand, context)
            else:
                child.context, child.done, child.spawned = context, False, 0
            self._begin(child, strand)
            child.cancelled = child.cancelled or group.stopped

        group.connect(spawn, lambda: self._cancel_inside(strand))

    def _within(self, strand: Strand, within: Within) -> None:
        strand.limit = within.seconds
        self._wait(strand, INSIDE)
        child = self._strand(within.fiber, strand, strand.context)
        self._begin(child, strand)
        self._expire_after(child, within.seconds)

    def _begin(self, child: Strand, parent: Strand) -> None:
        """Let a strand begin inside another one, as the next of its children."""
        child.number = parent.spawned
        parent.spawned += 1
        parent.children[child] = None
        child.cancelled = parent.cancelled and not parent.shielded
        self._ready.append((child, SEND, None))

    # --- ends

    def _ended(self, strand: Strand) -> None:
        strand.done = True
        if self.watcher is not None:
            self.watcher.ended(strand)
        if strand.fiber.group is None:
            strand.leave()
        parent = strand.parent
        if parent is not None:
            del parent.children[strand]
            if not parent.children:
                parent.wait = None
                self._ready.append((parent, *self._outcome(parent, strand)))

    def _outcome(self, strand: Strand, last: Strand) -> tuple[Exit, Any]:
        """How what was inside a strand ended."""
        group, limit = strand.group, strand.limit
        strand.group = strand.limit = None
        for worker in strand.workers.values():
            worker.leave()
        strand.workers.clear()
        told = strand.cancelled and not strand.shielded
        if group is not None:
            return (RAISED, group.defect() or Cancelled()) if told else group.outcome()
        fiber = last.fiber
        if isinstance(fiber.payload, Cancelled) and last.expired and not told:
            return FAILED, TimedOut(timedelta(seconds=limit or 0))
        return fiber.mode, fiber.payload

    def _wait(self, strand: Strand, what: Gate | str) -> None:
        strand.wait = what
        if strand.cancelled and not strand.shielded:
            self._interrupt(strand)

    def _interrupt(self, strand: Strand) -> None:
        """Tell a strand that waits that it is cancelled."""
        if strand.wait is INSIDE:
            self._cancel_inside(strand)
            return
        strand.wait, strand.since = None, 0
        self._ready.append((strand, THROW, Cancelled()))

    def _cancel_inside(self, strand: Strand) -> None:
        for child in list(strand.children):
            self._cancel(child)

    def _cancel(self, strand: Strand) -> None:
        if strand.cancelled or strand.done:
            return
        strand.cancelled = True
        if self.watcher is not None:
            self.watcher.cancelled(strand)
        if strand.wait is not None and not strand.shielded:
            self._interrupt(strand)

    def _halt(self, strand: Strand) -> None:
        """End the root of a strand and everything inside it, where it stands."""
        root = strand
        while root.parent is not None:
            root = root.parent
        if self.watcher is not None:
            self.watcher.halted(root)
        for each in tree(root):
            each.done, each.since = True, 0
        if (told := self._on_halt.get(root)) is not None:
            told()

    # --- what to say when it does not end

    def _waiting(self) -> Iterator[str]:
        for root in self._roots:
            for strand in tree(root):
                if not strand.done:
                    yield f"  {strand.title} waits for {awaited(strand)}"

    def _stuck(self) -> str:
        return "\n".join(["nothing can go on", *self._waiting()])

    def _endless(self) -> str:
        head = f"no end after {self._max_turns} turns, at {self._clock:g} s"
        return "\n".join([head, *self._waiting()])
