"""How effects are made: from values, from functions, from the environment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from functools import wraps
from typing import Any, Never, ParamSpec, TypeVar

from returns.result import Failure, Result, Success
from typing_extensions import TypeAliasType

from anabranch.effects.core import (
    ASYNC,
    BLOCKING,
    INLINE,
    Asks,
    Effect,
    Fail,
    Leaf,
    Step,
    Steps,
    Succeed,
    blank,
)

T = TypeVar("T")
E = TypeVar("E")
X = TypeVar("X", bound=Exception)
Env = TypeVar("Env")
P = ParamSpec("P")

Do = TypeAliasType("Do", Generator[Step[E, Env], Any, T], type_params=(T, E, Env))
"""What a function decorated with `do` declares that it returns: `Do[value, error, env]`."""


def succeed(value: T) -> Effect[T, Never, object]:
    """An effect that does nothing and succeeds with `value`."""
    node: Succeed[T] = blank(Succeed)
    node.value = value
    return node


def fail(error: E) -> Effect[Never, E, object]:
    """An effect that does nothing and fails with `error`.

    >>> from anabranch import fail, run
    >>> run(fail("no").recover(len))
    <Success: 2>
    """
    return Fail(error)


def from_result(result: Result[T, E]) -> Effect[T, E, object]:
    """An effect that ends as `result` did."""
    match result:
        case Success(value):
            return Succeed(value)
        case Failure(error):
            return Fail(error)
        case _:
            raise TypeError(f"expected a returns Result, got {result!r}")


def from_function(
    function: Callable[[Env], Result[T, E]],
    *,
    label: str | None = None,
    preview: Result[T, E] | None = None,
) -> Effect[T, E, Env]:
    """Call a plain function, inline on the event loop; it must be quick.

    Args:
        function: given the environment, returns a `Result`.
        label: what dry runs and tracers call it.
        preview: what a dry run assumes that it answers.
    """
    return Leaf(function, INLINE, label, preview)


def from_blocking(
    function: Callable[[Env], Result[T, E]],
    *,
    label: str | None = None,
    preview: Result[T, E] | None = None,
) -> Effect[T, E, Env]:
    """Call a plain function that takes its time, on a worker thread.

    A thread cannot be cancelled: cancellation waits for the function to return.
    The arguments are those of `from_function`.
    """
    return Leaf(function, BLOCKING, label, preview)


def from_async(
    function: Callable[[Env], Awaitable[Result[T, E]]],
    *,
    label: str | None = None,
    preview: Result[T, E] | None = None,
) -> Effect[T, E, Env]:
    """Await what `function` makes of the environment; it makes a new awaitable at each run.

    The arguments are those of `from_function`.

    >>> from anabranch import from_async, run
    >>> from returns.result import Success
    >>> async def shout(env: str) -> Success[str]:
    ...     return Success(env.upper())
    >>> run(from_async(shout), "hello")
    <Success: HELLO>
    """
    leaf: Leaf[T, E, Env] = blank(Leaf)
    leaf.function, leaf.manner, leaf.label, leaf.preview = function, ASYNC, label, preview
    return leaf


def attempt(function: Callable[[], T], catch: type[X]) -> Effect[T, X, object]:
    """Call a plain function inline; exceptions of the type `catch` are failures, others defects.

    >>> from anabranch import attempt, run
    >>> run(attempt(lambda: int("x"), ValueError).recover(lambda error: -1))
    <Success: -1>
    """
    return Leaf(_caught(function, catch), INLINE)


def attempt_blocking(function: Callable[[], T], catch: type[X]) -> Effect[T, X, object]:
    """Like `attempt`, on a worker thread."""
    return Leaf(_caught(function, catch), BLOCKING)


def _caught(function: Callable[[], T], catch: type[X]) -> Callable[[object], Result[T, X]]:
    def call(_: object) -> Result[T, X]:
        try:
            return Success(function())
        except catch as error:
            return Failure(error)

    return call


def attempt_async(function: Callable[[], Awaitable[T]], catch: type[X]) -> Effect[T, X, object]:
    """Like `attempt`, for a coroutine function."""

    async def call(_: object) -> Result[T, X]:
        try:
            return Success(await function())
        except catch as error:
            return Failure(error)

    return Leaf(call, ASYNC)


def ask() -> Effect[Env, Never, Env]:
    """The environment itself; annotate the result with the protocol that is wanted.

    >>> from anabranch import ask, run
    >>> run(ask(), "here")
    <Success: here>
    """
    return Asks(_itself)


def _itself(env: Env) -> Env:
    return env


def asks(function: Callable[[Env], T]) -> Effect[T, Never, Env]:
    """What `function` reads from the environment.

    >>> from anabranch import asks, run
    >>> run(asks(len), "four")
    <Success: 4>
    """
    return Asks(function)


def do(function: Callable[P, Do[T, E, Env]]) -> Callable[P, Effect[T, E, Env]]:
    """Write a sequence of effects as a generator function.

    Each `x = yield from effect` runs an effect and gives its value; a failure ends the
    function (its `finally` blocks run) and is the failure of the whole. The return type is
    declared as `Do[T, E, Env]`, and checkers infer and check every step against it.

    >>> from typing import Never
    >>> from anabranch import Do, do, run, succeed
    >>> @do
    ... def area(width: int) -> Do[int, Never, object]:
    ...     height = yield from succeed(width + 1)
    ...     return width * height
    >>> run(area(2))
    <Success: 6>
    """

    @wraps(function)
    def build(*args: P.args, **kwargs: P.kwargs) -> Effect[T, E, Env]:
        return Steps(function, args, tuple(kwargs.items()))

    return build
