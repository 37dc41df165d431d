"""Functions that wait for their effect, for `flow` and `pipe` of `returns`.

They are named as `returns` names them: `map_` and `bind` for values, `alt` and `lash` for errors.

>>> from anabranch import run, succeed
>>> from returns.pipeline import flow
>>> run(flow(succeed(20), map_(lambda n: n + 1), bind(lambda n: succeed(n * 2))))
<Success: 42>
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anabranch.effects import Effect

T = TypeVar("T")
T2 = TypeVar("T2")
E = TypeVar("E")
E2 = TypeVar("E2")
Env = TypeVar("Env")


def map_(function: Callable[[T], T2]) -> Callable[[Effect[T, E, Env]], Effect[T2, E, Env]]:
    """`Effect.map`: apply a plain function to the value."""

    def apply(effect: Effect[T, E, Env]) -> Effect[T2, E, Env]:
        return effect.map(function)

    return apply


def bind(
    function: Callable[[T], Effect[T2, E2, Env]],
) -> Callable[[Effect[T, E, Env]], Effect[T2, E | E2, Env]]:
    """`Effect.and_then`: go on with the effect that `function` makes of the value."""

    def apply(effect: Effect[T, E, Env]) -> Effect[T2, E | E2, Env]:
        return effect.and_then(function)

    return apply


def alt(function: Callable[[E], E2]) -> Callable[[Effect[T, E, Env]], Effect[T, E2, Env]]:
    """`Effect.map_error`: apply a plain function to the error."""

    def apply(effect: Effect[T, E, Env]) -> Effect[T, E2, Env]:
        return effect.map_error(function)

    return apply


def lash(
    function: Callable[[E], Effect[T2, E2, Env]],
) -> Callable[[Effect[T, E, Env]], Effect[T | T2, E2, Env]]:
    """`Effect.or_else`: after a failure, go on with the effect that `function` makes of it."""

    def apply(effect: Effect[T, E, Env]) -> Effect[T | T2, E2, Env]:
        return effect.or_else(function)

    return apply
