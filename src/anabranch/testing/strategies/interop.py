"""Containers of effects, for `returns.contrib.hypothesis.laws.check_all_laws`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, get_args

from hypothesis import strategies as st
from returns.result import Failure, Result, Success

from anabranch.effects import Effect, bracket, from_async, from_result, sleep, succeed
from anabranch.interop import EffectContainer

_Value = TypeVar("_Value")
_Error = TypeVar("_Error")


def effect_containers(kind: Any) -> st.SearchStrategy[EffectContainer[Any, Any, Any]]:
    """Containers that succeed and that fail: at once, after a wait, in a coroutine, in a bracket.

    Args:
        kind: the type that is wanted, such as `EffectContainer[int, str, object]`; where it has
            no parameters, any values and errors.
    """
    parameters: tuple[Any, ...] = get_args(kind) or (_Value, _Error)
    results: st.SearchStrategy[Result[Any, Any]] = st.one_of(
        st.from_type(parameters[0]).map(Success), st.from_type(parameters[1]).map(Failure)
    )
    return st.builds(_contained, results, st.sampled_from(_WAYS))


def _contained(
    result: Result[Any, Any], way: Callable[[Result[Any, Any]], Effect[Any, Any, Any]]
) -> EffectContainer[Any, Any, Any]:
    return EffectContainer(way(result))


def _awaited(result: Result[Any, Any]) -> Effect[Any, Any, Any]:
    async def call(_: object) -> Result[Any, Any]:
        return result

    return from_async(call)


def _later(result: Result[Any, Any]) -> Effect[Any, Any, Any]:
    return sleep(0).and_then(lambda _: from_result(result))


def _held(result: Result[Any, Any]) -> Effect[Any, Any, Any]:
    return bracket(succeed(None), lambda _: succeed(None), lambda _: from_result(result))


_WAYS = (from_result, _awaited, _later, _held)
