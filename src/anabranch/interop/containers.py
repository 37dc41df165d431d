"""An effect as a container of `returns`: its interfaces, its pointfree functions, its laws.

The interfaces of `returns` are higher-kinded, which no type checker understands by itself. That
is why `Effect` has nothing to do with them, and why they are met in this one class. Each of its
methods is the effect's own, under the name that `returns` has for it.
"""

# The interfaces speak of `KindN[type of self, …]` where the methods here say `EffectContainer[…]`,
# so that checkers infer what comes back; that the two are one, only the plugin of `returns` knows.
# mypy: disable-error-code="override"
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, final

from returns.context import NoDeps, RequiresContext
from returns.future import FutureResult
from returns.interfaces.specific.reader import CallableReader3
from returns.interfaces.specific.result import ResultLike3
from returns.primitives.container import BaseContainer
from returns.primitives.hkt import SupportsKind3
from returns.result import Result

from anabranch.effects import Effect, ask, asks, fail, from_result, succeed
from anabranch.interop.conversions import to_future

T = TypeVar("T")
E = TypeVar("E")
Env = TypeVar("Env")
T2 = TypeVar("T2")
E2 = TypeVar("E2")
Env2 = TypeVar("Env2")


@final
class EffectContainer(
    BaseContainer,
    SupportsKind3["EffectContainer[Any, Any, Any]", T, E, Env],
    ResultLike3[T, E, Env],
    CallableReader3[T, E, Env, FutureResult[T, E], Env],
):
    """A container around an effect. Called with an environment, it is the future of one run.

    >>> from anabranch import run, succeed
    >>> from returns.pipeline import flow
    >>> from returns.pointfree import bind, map_
    >>> def half(number: int) -> EffectContainer[float, str, object]:
    ...     return EffectContainer(succeed(number / 2))
    >>> run(flow(EffectContainer.from_value(5), bind(half), map_(str)).effect)
    <Success: 2.5>
    """

    __slots__ = ()

    no_args: ClassVar[NoDeps] = object()

    def __init__(self, effect: Effect[T, E, Env]) -> None:
        super().__init__(effect)

    @property
    def effect(self) -> Effect[T, E, Env]:
        """The effect inside."""
        effect: Effect[T, E, Env] = self._inner_value
        return effect

    def __call__(self, deps: Env) -> FutureResult[T, E]:
        """The future of one run in the environment `deps`."""
        return to_future(self.effect.provide(deps))

    # --- values and errors ---------------------------------------------------------------------

    def map(self, function: Callable[[T], T2]) -> EffectContainer[T2, E, Env]:
        """Apply a plain function to the value."""
        return EffectContainer(self.effect.map(function))

    def apply(
        self, container: EffectContainer[Callable[[T], T2], E, Env]
    ) -> EffectContainer[T2, E, Env]:
        """Apply a function that is in a container itself, which runs first."""
        return EffectContainer(container.effect.and_then(self.effect.map))

    def bind(
        self, function: Callable[[T], EffectContainer[T2, E, Env]]
    ) -> EffectContainer[T2, E, Env]:
        """Go on with the container that `function` makes of the value."""
        return EffectContainer(self.effect.and_then(lambda value: function(value).effect))

    def bind_result(self, function: Callable[[T], Result[T2, E]]) -> EffectContainer[T2, E, Env]:
        """Go on with the `Result` that `function` makes of the value."""
        return self.bind(lambda value: EffectContainer.from_result(function(value)))

    def bind_context(
        self, function: Callable[[T], RequiresContext[T2, Env]]
    ) -> EffectContainer[T2, E, Env]:
        """Go on with what `function` makes of the value and reads from the environment."""
        return self.bind(lambda value: EffectContainer.from_context(function(value)))

    def alt(self, function: Callable[[E], E2]) -> EffectContainer[T, E2, Env]:
        """Apply a plain function to the error."""
        return EffectContainer(self.effect.map_error(function))

    def lash(
        self, function: Callable[[E], EffectContainer[T, E2, Env]]
    ) -> EffectContainer[T, E2, Env]:
        """After a failure, go on with the container that `function` makes of the error."""
        return EffectContainer(self.effect.or_else(lambda error: function(error).effect))

    def swap(self) -> EffectContainer[E, T, Env]:
        """The value as the error, the error as the value."""
        return EffectContainer(self.effect.settled().and_then(lambda end: from_result(end.swap())))

    def modify_env(self, function: Callable[[Env2], Env]) -> EffectContainer[T, E, Env2]:
        """Run it in the environment that `function` makes of the one around it."""
        return EffectContainer(self.effect.local(function))

    # --- units ---------------------------------------------------------------------------------

    @classmethod
    def from_value(cls, inner_value: T2) -> EffectContainer[T2, Any, Any]:
        """A container of `succeed`."""
        return EffectContainer(succeed(inner_value))

    @classmethod
    def from_failure(cls, inner_value: E2) -> EffectContainer[Any, E2, Any]:
        """A container of `fail`."""
        return EffectContainer(fail(inner_value))

    @classmethod
    def from_result(cls, inner_value: Result[T2, E2]) -> EffectContainer[T2, E2, Any]:
        """A container that ends as the `Result` did."""
        return EffectContainer(from_result(inner_value))

    @classmethod
    def from_context(cls, inner_value: RequiresContext[T2, Env2]) -> EffectContainer[T2, Any, Env2]:
        """A container of what a reader reads from the environment."""
        return EffectContainer(asks(inner_value))

    @classmethod
    def ask(cls) -> EffectContainer[Env2, Any, Env2]:
        """A container of the environment itself."""
        return EffectContainer(ask())
