"""The same step in the libraries that people come from.

They are imported by name, and are values of type `Any` here: most of them bring no types that
both checkers can read, and none of them has to be installed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from importlib import import_module
from typing import Any

from benchmarks._timing import Contender

STEPS = 200
"""Few enough for those that recurse."""

Steps = Generator[Any, Any, Any]


def following(succeed: Callable[[int], Any]) -> Callable[[int], Any]:
    """The step, as a function."""

    def step(number: int) -> Any:
        return succeed(number + 1)

    return step


def bound(start: Any, succeed: Callable[[int], Any]) -> Any:
    """A chain of steps made with the peer's own `bind`."""
    result = start
    for _ in range(STEPS):
        result = result.bind(following(succeed))
    return result


def returns_result() -> Contender:
    success: Any = import_module("returns.result").Success

    async def run() -> object:
        return bound(success(0), success)

    return run


def returns_future() -> Contender:
    future: Any = import_module("returns.future").FutureResult

    async def run() -> object:
        return await bound(future.from_value(0), future.from_value)

    return run


def returns_context() -> Contender:
    context: Any = import_module("returns.context").RequiresContextFutureResult

    async def run() -> object:
        return await bound(context.from_value(0), context.from_value)(None)

    return run


def expression() -> Contender:
    library: Any = import_module("expression")
    ok: Callable[[int], Steps] = library.Ok

    def steps() -> Steps:
        number: Any = 0
        for _ in range(STEPS):
            number = yield from ok(number + 1)
        return number

    many = library.effect.result()(steps)

    async def run() -> object:
        return many()

    return run


def effect() -> Contender:
    library: Any = import_module("effect")

    def steps() -> Steps:
        number = 0
        for _ in range(STEPS):
            number = yield library.Effect(library.Constant(number + 1))
        return number

    many = import_module("effect.do").do(steps)

    async def run() -> object:
        return library.sync_perform(library.base_dispatcher, many())

    return run


def stateless() -> Contender:
    library: Any = import_module("stateless")
    success: Callable[[int], Steps] = library.success

    def steps() -> Steps:
        number: Any = 0
        for _ in range(STEPS):
            number = yield from success(number + 1)
        return number

    async def run() -> object:
        return await library.run_async(steps())

    return run


def pfun() -> Contender:
    library: Any = import_module("pfun.effect")

    async def run() -> object:
        result = library.success(0)
        for _ in range(STEPS):
            result = result.and_then(following(library.success))
        return await result(None)

    return run


PEERS: dict[str, Callable[[], Contender]] = {
    "returns Result.bind": returns_result,
    "returns FutureResult.bind": returns_future,
    "returns RequiresContextFutureResult.bind": returns_context,
    "Expression, effect.result": expression,
    "python effect, do": effect,
    "stateless, yield from": stateless,
    "pfun, and_then": pfun,
}


def installed() -> dict[str, Contender]:
    """The peers that this environment has: `pip install anabranch[peers]`."""
    found: dict[str, Contender] = {}
    for name, load in PEERS.items():
        try:
            found[name] = load()
        except ImportError as error:
            print(f"left out: {name} ({error})")
    return found
