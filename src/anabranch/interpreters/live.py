"""The live interpreter: the machine driven by anyio, on asyncio or trio."""

from __future__ import annotations

import math
from contextlib import suppress
from contextvars import Context
from datetime import timedelta
from functools import partial
from types import CoroutineType
from typing import Any, Literal, TypeAlias, TypeVar, assert_never, final, overload

import anyio
import anyio.lowlevel
import anyio.to_thread
from returns.result import Failure, Result, Success

from anabranch.effects.core import ASYNC, Effect, Exit, Leaf
from anabranch.effects.errors import TimedOut
from anabranch.interpreters.frames import class_of, opened, to_await
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
    Until,
    Within,
    Yield,
    shielded,
)
from anabranch.interpreters.turns import Turns

T = TypeVar("T")
E = TypeVar("E")
Env = TypeVar("Env")

Backend = Literal["asyncio", "trio"]

_TASK_EVERY = 16
"""Of timeouts inside timeouts, every 16th runs on the stack of a task of its own."""


_Rare: TypeAlias = Await | CallBlocking | Pause | Until | Fork | Within
"""A request for which `drive` has no short way."""


@final
class _Live:
    """The driver: carries out requests with anyio."""

    eager = True

    def __init__(self, tracer: Tracer | None) -> None:
        self.tracer = tracer
        self.now = anyio.current_time
        self._threads = anyio.CapacityLimiter(math.inf)
        self._turns = Turns()

    async def drive(  # noqa: C901, PLR0912 (the other loop: split, it costs a call at each leaf)
        self, strand: Fiber, request: Request | None = None
    ) -> None:
        """Carry out requests until the strand has ended; its exception is raised here.

        Without a request it has not begun. There is a short way from the last answer that a
        worker's job needs to the next job, if that is a coroutine: it leaves the machine out.
        """
        turns, number = self._turns, -1
        advance, group, stack = strand.advance, strand.group, strand.stack
        request = request or advance(OK, None)
        while request is not None:
            try:
                if type(request) is CoroutineType:
                    answer: Any = await request
                    if class_of(answer) is Success:
                        mode, payload = OK, answer.unwrap()
                    else:
                        mode, payload = opened(answer)
                elif type(request) is Yield:
                    mode, payload = OK, None
                else:
                    mode, payload = await self._perform(request)
                if number != turns.number:
                    number = turns.number
                    if not turns.begun:
                        turns.begin()
                elif turns.spend():
                    await turns.give_up(shielded=shielded(request))
                if group and not stack and mode is OK and type(request) is not Yield:
                    effect = group.succeeded(strand, payload)
                    if class_of(effect) is Leaf and effect.manner is ASYNC:
                        strand.waiting_for = effect
                        made = effect.function(strand.env)
                        ready = class_of(made) is CoroutineType
                        request = made if ready else to_await(made, shielded=False)
                    else:
                        request = strand.take(effect)
                    continue
            except BaseException as error:  # noqa: BLE001 (unwinds the strand, then goes on)
                mode, payload = RAISED, error
            request = advance(mode, payload)
        if strand.mode is RAISED:
            raise strand.payload

    async def _perform(self, request: _Rare) -> tuple[Exit, Any]:
        if request.shielded:
            with anyio.CancelScope(shield=True):
                return await self._carry_out(request)
        return await self._carry_out(request)

    async def _carry_out(self, request: _Rare) -> tuple[Exit, Any]:
        match request:
            case Await():
                return opened(await request.awaitable)
            case CallBlocking():
                call = anyio.to_thread.run_sync(request.function, limiter=self._threads)
                answer = await call
                await anyio.lowlevel.checkpoint_if_cancelled()
                return opened(answer)
            case Pause():
                await anyio.sleep(request.seconds)
            case Until():
                told = anyio.Event()
                request.register(told.set)
                await told.wait()
            case Fork():
                return await self._fork(request)
            case Within():
                return await self._within(request)
            case _:
                assert_never(request)
        return OK, None

    async def _fork(self, fork: Fork) -> tuple[Exit, Any]:
        try:
            async with anyio.create_task_group() as tasks:

                def spawn(worker: Fiber, request: Request | None, context: Context) -> None:
                    _ = context.run(tasks.start_soon, self.drive, worker, request)

                fork.group.connect(spawn, tasks.cancel_scope.cancel)
            await anyio.lowlevel.checkpoint_if_cancelled()
        except anyio.get_cancelled_exc_class():
            if (defect := fork.group.defect()) is None:
                raise
            return RAISED, defect
        except BaseExceptionGroup as several:
            return RAISED, _alone(several)
        return fork.group.outcome()

    async def _within(self, request: Within) -> tuple[Exit, Any]:
        fiber = request.fiber
        with anyio.move_on_after(request.seconds) as scope:
            if fiber.depth % _TASK_EVERY:
                await self.drive(fiber, request.request)
            else:
                await self._drive_in_a_task(fiber, request.request)
        if scope.cancelled_caught:
            return FAILED, TimedOut(timedelta(seconds=request.seconds))
        return fiber.mode, fiber.payload

    async def _drive_in_a_task(self, fiber: Fiber, request: Request | None) -> None:
        """Drive a fiber on a stack of its own."""

        async def work() -> None:
            with suppress(Exception):  # it is kept in the fiber
                await self.drive(fiber, request)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)


def _alone(error: BaseException) -> BaseException:
    """What task groups have wrapped, if it is one exception: the wish to exit, as a rule."""
    inside: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return _alone(inside[0]) if len(inside) == 1 else error


@overload
async def run_async(
    effect: Effect[T, E, object], env: None = None, *, tracer: Tracer | None = None
) -> Result[T, E]: ...
@overload
async def run_async(
    effect: Effect[T, E, Env], env: Env, *, tracer: Tracer | None = None
) -> Result[T, E]: ...
async def run_async(
    effect: Effect[Any, Any, Any], env: Any = None, *, tracer: Tracer | None = None
) -> Result[Any, Any]:
    """Run an effect on the event loop that is running, asyncio's or trio's.

    Args:
        effect: what to run; it can be run again.
        env: what it asks for; left out if it asks for nothing.
        tracer: sees every labelled effect start and end.

    Returns:
        `Success` with its value or `Failure` with its error. An unexpected exception
        is raised as it is; cancelling the caller cancels the effect, and its finalisers
        have run when the cancellation comes out here.
    """
    live = _Live(tracer)
    fiber = Fiber(live, effect, env)
    await live.drive(fiber)
    return Success(fiber.payload) if fiber.mode is OK else Failure(fiber.payload)


@overload
def run(
    effect: Effect[T, E, object],
    env: None = None,
    *,
    backend: Backend = "asyncio",
    tracer: Tracer | None = None,
) -> Result[T, E]: ...
@overload
def run(
    effect: Effect[T, E, Env],
    env: Env,
    *,
    backend: Backend = "asyncio",
    tracer: Tracer | None = None,
) -> Result[T, E]: ...
def run(
    effect: Effect[Any, Any, Any],
    env: Any = None,
    *,
    backend: Backend = "asyncio",
    tracer: Tracer | None = None,
) -> Result[Any, Any]:
    """Run an effect from ordinary code, on an event loop of its own. See `run_async`.

    Args:
        effect: what to run; it can be run again.
        env: what it asks for; left out if it asks for nothing.
        backend: `"asyncio"` or `"trio"` (the extra `anabranch[trio]`).
        tracer: sees every labelled effect start and end.

    Raises:
        RuntimeError: an event loop runs in this thread already, as in a notebook.

    >>> from anabranch import run, succeed
    >>> run(succeed(1))
    <Success: 1>
    """
    _refuse_inside_a_loop()
    return anyio.run(partial(run_async, effect, env, tracer=tracer), backend=backend)


def _refuse_inside_a_loop() -> None:
    try:
        anyio.get_cancelled_exc_class()
    except RuntimeError:  # there is none
        return
    raise RuntimeError(
        "an event loop runs here already: `await run_async(effect)` instead of `run`"
    )
