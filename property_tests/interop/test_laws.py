"""The laws of `returns` hold for the container of effects, and nothing is lost on the way."""

# The pipelines and laws of `returns` are partly unknown to pyright, in its strict mode an error.
# pyright: basic

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Never

from hypothesis import given
from returns.context import RequiresContextFutureResult
from returns.contrib.hypothesis.laws import check_all_laws
from returns.pipeline import flow

from anabranch import Effect, ask, succeed
from anabranch.interop import (
    EffectContainer,
    alt,
    bind,
    from_context,
    from_future,
    lash,
    map_,
    to_context,
    to_future,
)
from anabranch.testing.strategies.effects import Program, Trace, compile_program, mix, programs
from anabranch.testing.strategies.interop import effect_containers
from property_tests.effects.runs import Make, live
from property_tests.effects.virtual import BACKENDS

check_all_laws(
    EffectContainer,
    container_strategy=effect_containers,
    settings_kwargs={"max_examples": 50},
)

anything = programs(max_steps=4)


def same(one: Make, other: Make) -> None:
    for backend in BACKENDS:
        assert live(one, backend) == live(other, backend)


@given(anything)
def test_an_effect_that_was_a_container_in_between_is_the_same(m: Program) -> None:
    def through_a_reader(trace: Trace) -> Effect[Any, Any, Any]:
        container: RequiresContextFutureResult[int, str, int]
        container = to_context(compile_program(m, trace))
        return from_context(container)

    def through_a_future(trace: Trace) -> Effect[Any, Any, Any]:
        here: Effect[int, Any, int] = ask()
        effect = compile_program(m, trace)
        return here.and_then(lambda env: from_future(lambda: to_future(effect.provide(env))))

    def directly(trace: Trace) -> Effect[Any, Any, Any]:
        return compile_program(m, trace)

    same(directly, through_a_reader)
    same(directly, through_a_future)


@given(anything, anything)
def test_a_function_that_waits_for_its_effect_is_the_method(m: Program, f: Program) -> None:
    def arrow(trace: Trace) -> Callable[[int], Effect[int, str, int]]:
        return lambda value: compile_program(f, trace).map(lambda other: mix(value, other))

    def handler(error: str) -> Effect[int, Never, int]:
        return succeed(len(error))

    def pointfree(trace: Trace) -> Effect[Any, Any, Any]:
        effect = compile_program(m, trace)
        return flow(effect, bind(arrow(trace)), alt(str.upper), lash(handler), map_(str))

    def methods(trace: Trace) -> Effect[Any, Any, Any]:
        effect = compile_program(m, trace).and_then(arrow(trace))
        return effect.map_error(str.upper).or_else(handler).map(str)

    same(methods, pointfree)
