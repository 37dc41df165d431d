"""A second interpreter: sequential, recursive, and so short that it is obviously right.

It is the model that the real ones are compared with. What would run at the same time runs one
after the other, in the order in which it would start; a wait moves a clock that starts at 0; a
timeout is a moment on that clock. It recurses, so it is for small effects only.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Generator
from contextvars import copy_context
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar, assert_never, cast

from attrs import define
from returns.result import Failure, Result, Success

from anabranch.effects import Effect, ReleaseError, TimedOut
from anabranch.effects.core import (
    Asks,
    Bracket,
    Exit,
    Fail,
    Label,
    Leaf,
    Local,
    Map,
    MapError,
    Node,
    Now,
    OrElse,
    Par,
    Sleep,
    Steps,
    Succeed,
    Then,
    Timeout,
    Wait,
)
from anabranch.interpreters.frames import with_labels

T = TypeVar("T")
E = TypeVar("E")
Env = TypeVar("Env")


class _DeadlineError(BaseException):
    """A wait would pass a deadline: everything up to the timeout that set it is cancelled."""


@define
class _Clock:
    now: float = 0.0
    deadline: float = math.inf


def run_reference(effect: Effect[T, E, Env], env: Env) -> Result[T, E]:
    """Run a small effect in the plainest way there is.

    Args:
        effect: what to run; its async leaves must not wait for anything.
        env: what it asks for; `None` if it asks for nothing.

    >>> from anabranch import sleep, timeout
    >>> run_reference(timeout(sleep("1h").as_(1), "1m").recover(lambda _: 2), None)
    <Success: 2>
    """
    return _run(effect, env, _Clock())


def _run(effect: Effect[Any, Any, Any], env: Any, clock: _Clock) -> Result[Any, Any]:  # noqa: C901, PLR0911, PLR0912 (a case each)
    run = partial(_run, env=env, clock=clock)
    node = cast("Node", effect)
    match node:
        case Succeed():
            return Success(node.value)
        case Fail():
            return Failure(node.error)
        case Asks():
            return Success(node.function(env))
        case Now():
            return Success(clock.now)
        case Wait():
            return _told(node)
        case Sleep():
            return _wait(node.seconds, clock)
        case Leaf():
            return _answer(node.function(env))
        case Then():
            source = run(node.source)
            return run(node.function(source.unwrap())) if isinstance(source, Success) else source
        case OrElse():
            source = run(node.source)
            return run(node.function(source.failure())) if isinstance(source, Failure) else source
        case Map():
            return run(node.source).map(node.function)
        case MapError():
            return run(node.source).alt(node.function)
        case Local():
            return _run(node.source, node.function(env), clock)
        case Label():
            source = run(node.source)
            return source.alt(partial(with_labels, labels=[node.label])) if node.carried else source
        case Steps():
            return _steps(node.function(*node.arguments, **dict(node.keywords)), env, clock)
        case Bracket():
            held = _shielded(node.source, env, clock)
            return _use(node, env, clock, held.unwrap()) if isinstance(held, Success) else held
        case Timeout():
            return _timeout(node, env, clock)
        case Par():
            return _one_by_one(node, env, clock)
        case _:
            assert_never(node)


def _told(wait: Wait) -> Result[None, Any]:
    """One effect after the other, so that whoever tells has told already, or never will."""
    told: list[None] = []
    wait.register(lambda: told.append(None))
    if not told:
        raise RuntimeError("nobody is left to tell it to go on")
    return Success(None)


def _wait(seconds: float, clock: _Clock) -> Result[None, Any]:
    if clock.now + seconds > clock.deadline:
        clock.now = max(clock.now, clock.deadline)
        raise _DeadlineError
    clock.now += seconds
    return Success(None)


def _answer(answer: Result[Any, Any] | Awaitable[Result[Any, Any]]) -> Result[Any, Any]:
    if isinstance(answer, Result):
        return answer
    try:
        next(answer.__await__())
    except StopIteration as stop:
        result: Result[Any, Any] = stop.value
        return result
    raise RuntimeError("an async leaf waits, and the reference interpreter has no event loop")


def _steps(
    steps: Generator[Any, Any, Any],
    env: Any,
    clock: _Clock,
    failed: Result[Any, Any] | None = None,
) -> Result[Any, Any]:
    """Run a `do` function; one of whose steps has `failed` is left, and runs what it has to."""
    leaving = GeneratorExit()
    move = partial(next, steps) if failed is None else partial(steps.throw, leaving)
    try:
        while True:
            effect = move()
            try:
                ended = _run(effect, env, clock)
            except BaseException as error:  # noqa: BLE001 (given to the function, which may handle it)
                move = partial(steps.throw, error)
                continue
            if isinstance(ended, Failure):
                return _steps(steps, env, clock, ended)
            move = partial(steps.send, ended.unwrap())
    except StopIteration as stop:
        return Success(stop.value) if failed is None else failed
    except GeneratorExit as error:
        if failed is None or error is not leaving:
            raise
        return failed


def _use(node: Bracket, env: Any, clock: _Clock, resource: Any) -> Result[Any, Any]:
    try:
        used = _run(node.use(resource), env, clock)
    except BaseException as error:
        try:
            _shielded(node.release(resource, Exit.RAISED), env, clock)
        except Exception as another:
            if isinstance(error, Exception):
                raise ExceptionGroup("use and release", [error, another]) from None
            raise
        raise
    failed = isinstance(used, Failure)
    release = node.release(resource, Exit.FAILED if failed else Exit.OK)
    released = _shielded(release, env, clock)
    if failed and isinstance(released, Failure):
        return Failure(ReleaseError(used.failure(), released.failure()))
    return released if isinstance(released, Failure) else used


def _shielded(effect: Effect[Any, Any, Any], env: Any, clock: _Clock) -> Result[Any, Any]:
    deadline, clock.deadline = clock.deadline, math.inf
    try:
        return _run(effect, env, clock)
    finally:
        clock.deadline = deadline


def _timeout(node: Timeout, env: Any, clock: _Clock) -> Result[Any, Any]:
    outer = clock.deadline
    clock.deadline = min(outer, clock.now + node.seconds)
    try:
        return _run(node.source, env, clock)
    except _DeadlineError:
        if clock.now < outer:
            return Failure(TimedOut(timedelta(seconds=node.seconds)))
        raise
    finally:
        clock.deadline = outer


def _one_by_one(node: Par, env: Any, clock: _Clock) -> Result[Any, Any]:
    schedule, defects, stopped = node.schedule(), list[Exception](), False
    while not stopped and (job := schedule.pull()) is not None:
        key, effect = job
        try:
            ended = copy_context().run(_run, effect, env, clock)
        except Exception as defect:  # noqa: BLE001 (raised below, when the others have had their turn)
            defects.append(defect)
            stopped = schedule.aborted()
            continue
        if isinstance(ended, Success):
            stopped = schedule.succeeded(key, ended.unwrap())
        else:
            stopped = schedule.failed(key, ended.failure())
    if defects:
        raise defects[0] if len(defects) == 1 else ExceptionGroup("several", defects)
    return schedule.finish()
