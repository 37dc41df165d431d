"""Effects among the containers, functions and pipelines of `returns`."""

# The pipelines of `returns` are opaque to pyright, in its strict mode an error at each use.
# pyright: basic

from __future__ import annotations

from typing import Any, Never

import anyio
import pytest
import returns.pointfree as pf
from returns.context import RequiresContext, RequiresContextFutureResult
from returns.future import FutureResult, future_safe
from returns.io import IOFailure, IOResult, IOSuccess, impure_safe
from returns.maybe import Maybe, Nothing, Some
from returns.pipeline import flow, pipe
from returns.result import Failure, Result, Success

from anabranch import Effect, asks, fail, from_function, run, run_async, succeed, timeout
from anabranch.interop import (
    EffectContainer,
    alt,
    bind,
    from_context,
    from_future,
    from_io,
    from_maybe,
    lash,
    map_,
    to_context,
    to_future,
    to_io,
)
from anabranch.interpreters import Backend

both = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def find(key: str) -> Effect[int, str, object]:
    return succeed(len(key)) if key else fail("no key")


def counted(calls: list[int]) -> Effect[int, Never, object]:
    def call(_: object) -> Result[int, Never]:
        calls.append(len(calls))
        return Success(len(calls))

    return from_function(call)


@both
def test_effects_flow_and_are_piped(backend: Backend) -> None:
    size: Any = pipe(find, map_(float), bind(lambda n: succeed(n / 2)), alt(str.upper))
    assert Success(1.5) == run(size("key"), backend=backend)
    assert Failure("NO KEY") == run(size(""), backend=backend)
    assert Success(0) == run(flow("", find, lash(lambda _: succeed(0))), backend=backend)


@both
def test_a_reader_is_called_at_each_run_with_the_environment(backend: Backend) -> None:
    calls: list[str] = []

    def read(env: str) -> FutureResult[int, str]:
        calls.append(env)
        return FutureResult.from_value(len(env))

    container: RequiresContextFutureResult[int, str, str] = RequiresContextFutureResult(read)
    effect = from_context(container)
    assert Success(4) == run(effect, "four", backend=backend)
    assert Success(5) == run(effect, "fives", backend=backend)
    assert ["four", "fives"] == calls


@both
def test_an_effect_that_became_a_reader_runs_at_each_call(backend: Backend) -> None:
    calls: list[int] = []
    length: Effect[int, Never, str] = asks(len)
    container = to_context(length.zip(counted(calls)))

    async def main() -> list[IOResult[Any, Any]]:
        return [await container("four"), await container("fives")]

    assert [IOSuccess((4, 1)), IOSuccess((5, 2))] == anyio.run(main, backend=backend)


@both
def test_a_future_is_made_anew_at_each_run(backend: Backend) -> None:
    @future_safe
    async def parse(text: str) -> int:
        await anyio.lowlevel.checkpoint()
        return int(text)

    effect = from_future(lambda: parse("20"))
    assert [Success(20)] * 2 == [run(effect, backend=backend) for _ in range(2)]
    failed = run(from_future(lambda: parse("x")).map_error(type), backend=backend)
    assert Failure(ValueError) == failed


@both
def test_a_future_of_an_effect_runs_once_however_often_it_is_awaited(backend: Backend) -> None:
    calls: list[int] = []

    async def main() -> list[IOResult[Any, Any]]:
        future = to_future(counted(calls))
        return [await future, await future.map(str), await future]

    assert [IOSuccess(1), IOSuccess("1"), IOSuccess(1)] == anyio.run(main, backend=backend)


@both
def test_what_a_reader_waits_for_is_cancelled_with_the_effect(backend: Backend) -> None:
    ended: list[str] = []

    async def wait() -> Result[int, str]:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("ended")
        return Success(1)

    effect = from_future(lambda: FutureResult(wait()))
    limited = run(timeout(effect, "1ms").map_error(str), backend=backend)
    assert (Failure("timed out after 0.001s"), ["ended"]) == (limited, ended)


def test_a_defect_in_a_future_stays_a_defect() -> None:
    async def main() -> None:
        await to_future(succeed(0).map(lambda n: 1 // n))

    with pytest.raises(ZeroDivisionError):
        anyio.run(main)


def test_impure_functions_are_called_at_each_run() -> None:
    calls: list[int] = []

    @impure_safe
    def read() -> int:
        calls.append(1)
        return len(calls)

    effect = from_io(read)
    assert [] == calls
    assert [Success(1), Success(2)] == [run(effect), run(effect)]
    assert [IOSuccess(3), IOFailure("no key")] == [to_io(effect), to_io(find(""))]


def test_nothing_is_the_failure_that_is_given() -> None:
    there: Maybe[int] = Some(1)
    missing: Maybe[int] = Nothing
    assert [Success(1), Failure("gone")] == [run(from_maybe(m, "gone")) for m in (there, missing)]
    assert Success(None) == run(from_maybe(Some(None), "gone"))


def test_the_functions_of_returns_take_the_container() -> None:
    one: EffectContainer[int, str, Any] = EffectContainer(find("k"))

    def more(number: int) -> EffectContainer[int, str, Any]:
        return EffectContainer(succeed(number + 1))

    def checked(number: int) -> Result[int, str]:
        return Success(number) if number < 2 else Failure("large")

    def in_words(_: int) -> RequiresContext[str, Any]:
        return RequiresContext(str)

    told: Any = flow(
        one,
        pf.map_(int),
        pf.bind(more),
        pf.bind_result(checked),
        pf.alt(len),
        pf.lash(EffectContainer.from_value),
        pf.bind_context3(in_words),
        pf.modify_env3(lambda env: [env]),
    )
    assert Success("['env']") == run(told.effect, "env")
    assert Failure(1) == run(one.swap().effect)
    asked: EffectContainer[str, Never, str] = EffectContainer.ask()
    assert Success("env") == run(asked.effect, "env")


def test_containers_of_the_same_effect_are_equal() -> None:
    effect = succeed(1).map(str)
    assert EffectContainer(effect) == EffectContainer(succeed(1).map(str))
    assert "<EffectContainer: <Effect succeed(1).map(str)>>" == repr(EffectContainer(effect))


async def _awaited() -> object:
    return await run_async(from_context(to_context(succeed(1))), None)


@both
def test_a_reader_runs_on_the_loop_that_awaits_it(backend: Backend) -> None:
    assert Success(1) == anyio.run(_awaited, backend=backend)
