"""Between effects and the containers of `returns`, both ways.

A future and an `IOResult` are calls that have been made, and an effect is one that is made
anew at each run. So what turns them into effects takes the *function* that makes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.io import IO, IOResult
from returns.maybe import Maybe, Some
from returns.result import Result
from returns.unsafe import unsafe_perform_io

from anabranch.effects import Effect, fail, from_async, from_function, succeed
from anabranch.interpreters import Backend, run, run_async

T = TypeVar("T")
E = TypeVar("E")
Env = TypeVar("Env")


def from_context(container: RequiresContextFutureResult[T, E, Env]) -> Effect[T, E, Env]:
    """The effect that calls the container with its environment, at each run.

    >>> from anabranch import run
    >>> from returns.context import RequiresContextFutureResult
    >>> run(from_context(RequiresContextFutureResult.from_value(1)))
    <Success: 1>
    """

    async def call(env: Env) -> Result[T, E]:
        return _opened(await container(env))

    return from_async(call)


def to_context(effect: Effect[T, E, Env]) -> RequiresContextFutureResult[T, E, Env]:
    """The container that runs the effect, at each call, on the event loop that awaits it.

    >>> import asyncio
    >>> from anabranch import asks
    >>> async def main():
    ...     return await to_context(asks(len))("four")
    >>> asyncio.run(main())
    <IOResult: <Success: 4>>
    """

    def call(env: Env) -> FutureResult[T, E]:
        return to_future(effect.provide(env))

    return RequiresContextFutureResult(call)


def from_future(make: Callable[[], FutureResult[T, E]]) -> Effect[T, E, object]:
    """The effect that makes a future and awaits it, at each run.

    >>> from anabranch import run
    >>> from returns.future import future_safe
    >>> @future_safe
    ... async def parse(text: str) -> int:
    ...     return int(text)
    >>> run(from_future(lambda: parse("20")).map(lambda n: n + 1))
    <Success: 21>
    """

    async def call(_: object) -> Result[T, E]:
        return _opened(await make())

    return from_async(call)


def to_future(effect: Effect[T, E, object]) -> FutureResult[T, E]:
    """The future of one run of the effect; it begins when the future is awaited first."""
    return FutureResult(run_async(effect))


def from_io(make: Callable[[], IOResult[T, E]]) -> Effect[T, E, object]:
    """The effect that calls a function which does I/O, inline, at each run.

    >>> from anabranch import run
    >>> from returns.io import impure_safe
    >>> @impure_safe
    ... def read() -> str:
    ...     return "text"
    >>> run(from_io(read))
    <Success: text>
    """

    def call(_: object) -> Result[T, E]:
        return _opened(make())

    return from_function(call)


def to_io(effect: Effect[T, E, object], *, backend: Backend = "asyncio") -> IOResult[T, E]:
    """Run the effect now, as `run` does: its result, marked as impure.

    >>> from anabranch import succeed
    >>> to_io(succeed(1))
    <IOResult: <Success: 1>>
    """
    return IOResult.from_result(run(effect, backend=backend))


def from_maybe(maybe: Maybe[T], error: E) -> Effect[T, E, object]:
    """Succeed with what is there, or fail with `error`.

    >>> from anabranch import run
    >>> from returns.maybe import Nothing
    >>> run(from_maybe(Nothing, "nobody"))
    <Failure: nobody>
    """
    match maybe:
        case Some(value):
            return succeed(value)
        case _:
            return fail(error)


def _opened(result: IOResult[T, E]) -> Result[T, E]:
    return unsafe_perform_io(IO.from_ioresult(result))
