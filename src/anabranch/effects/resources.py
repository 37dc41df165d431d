"""Resources: what is acquired is released, exactly once, however its use ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Never, TypeVar, overload

from attrs import field, frozen

from anabranch.effects.core import Bracket, Effect, Fail, Map, Succeed, Then
from anabranch.effects.errors import ReleaseError

A = TypeVar("A")
T = TypeVar("T")
E = TypeVar("E")
E1 = TypeVar("E1")
E2 = TypeVar("E2")
E3 = TypeVar("E3")
Env = TypeVar("Env")


@overload
def bracket(
    acquire: Effect[A, Never, object],
    release: Callable[[A], Effect[object, Never, Env]],
    use: Callable[[A], Effect[T, E3, Env]],
) -> Effect[T, E3, Env]: ...
@overload
def bracket(
    acquire: Effect[A, Never, Env],
    release: Callable[[A], Effect[object, Never, Env]],
    use: Callable[[A], Effect[T, E3, Env]],
) -> Effect[T, E3, Env]: ...
@overload
def bracket(
    acquire: Effect[A, E1, Env],
    release: Callable[[A], Effect[object, Never, Env]],
    use: Callable[[A], Effect[T, E3, Env]],
) -> Effect[T, E1 | E3, Env]: ...
@overload
def bracket(
    acquire: Effect[A, E1, Env],
    release: Callable[[A], Effect[object, E2, Env]],
    use: Callable[[A], Effect[T, E3, Env]],
) -> Effect[T, E1 | E2 | E3 | ReleaseError[E3, E2], Env]: ...
def bracket(
    acquire: Effect[Any, Any, Any],
    release: Callable[[Any], Effect[Any, Any, Any]],
    use: Callable[[Any], Effect[Any, Any, Any]],
) -> Effect[Any, Any, Any]:
    """Acquire a resource, use it, and release it.

    `release` runs exactly once if `acquire` succeeded: after success, failure, an
    unexpected exception, a timeout and cancellation. Neither it nor `acquire` is cancelled from
    outside: what was asked for before the cancellation is had, and then given back. An `acquire`
    that may wait for long sets itself a `timeout`.

    Returns:
        The value of `use`. If only one of use and release fails, its error; if both do,
        a `ReleaseError` that keeps both (for two exceptions, an `ExceptionGroup`).

    >>> from anabranch import bracket, run, succeed
    >>> log = []
    >>> work = bracket(
    ...     succeed("tree"),
    ...     release=lambda tree: succeed(log.append(f"remove {tree}")),
    ...     use=lambda tree: succeed(len(tree)),
    ... )
    >>> run(work), log
    (<Success: 4>, ['remove tree'])
    """
    return Bracket(acquire, lambda resource, _: release(resource), use)


@frozen
class FinaliserErrors(Generic[E]):
    """Finalisers of a scope failed; every one of them was run. Errors in the order they ran."""

    errors: tuple[E, ...]

    def __str__(self) -> str:
        """One line for each error."""
        return "\n".join(f"a finaliser failed: {error}" for error in self.errors)


@frozen
class Scope(Generic[E, Env]):
    """Resources that live until the scope ends; they are released in reverse order."""

    _finalisers: list[Effect[object, E, Env]] = field(factory=list[Any])

    def add(self, finaliser: Effect[object, E, Env]) -> Effect[None, Never, object]:
        """Run `finaliser` when the scope ends."""
        return Map(Succeed(finaliser), self._finalisers.append)

    def acquire(
        self, acquire: Effect[A, E1, Env], release: Callable[[A], Effect[object, E, Env]]
    ) -> Effect[A, E1, Env]:
        """Acquire a resource and release it when the scope ends."""

        def keep(resource: A) -> A:
            self._finalisers.append(release(resource))
            return resource

        return Bracket(Map(acquire, keep), lambda _, __: Succeed(None), Succeed)

    def close(self) -> Effect[None, FinaliserErrors[E], Env]:
        """Run all finalisers, the last first; none is left out because another failed."""
        errors: list[E] = []

        def keep(error: E) -> Effect[None, Never, object]:
            errors.append(error)
            return Succeed(None)

        def next_one(_: object, __: object = None) -> Effect[None, FinaliserErrors[E], Env]:
            if not self._finalisers:
                return Fail(FinaliserErrors(tuple(errors))) if errors else Succeed(None)
            last = self._finalisers.pop()
            return Bracket(Succeed(None), next_one, lambda _: last.or_else(keep))

        return Then(Succeed(None), next_one)


def scoped(
    use: Callable[[Scope[E, Env]], Effect[T, E1, Env]],
) -> Effect[T, E1 | FinaliserErrors[E] | ReleaseError[E1, FinaliserErrors[E]], Env]:
    """Run an effect with a scope, to which it adds resources and finalisers as it goes.

    At the end, however it ends, all finalisers run, in reverse order and shielded from
    cancellation; all of their errors are kept.

    >>> from anabranch import Scope, run, scoped, succeed
    >>> log = []
    >>> def say(text: str) -> Effect[None, Never, object]:
    ...     return succeed(text).map(log.append)
    >>> run(scoped(lambda scope: scope.add(say("first")).tap(lambda _: scope.add(say("last")))))
    <Success: None>
    >>> log
    ['last', 'first']
    """
    return Bracket(Map(Succeed(None), _new_scope), _close, use)


def _new_scope(_: object) -> Scope[Any, Any]:
    return Scope()


def _close(scope: Scope[E, Env], _: object) -> Effect[None, FinaliserErrors[E], Env]:
    return scope.close()
