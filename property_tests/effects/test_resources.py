"""What is acquired is released exactly once, whatever happens at whichever step.

The effects here are made of numbered steps. A fault strikes at one of them, each in its turn: a
failure, a defect, a cancellation through anyio, or one of asyncio's own. Nothing waits, so that
every step is a place where the interpreter could stop.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from enum import Enum
from typing import Any, Never

import anyio
import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Result, Success

from anabranch import (
    Do,
    Effect,
    RetryPolicy,
    Scope,
    bracket,
    do,
    from_async,
    par_all,
    par_all_limit,
    par_graph,
    par_try_all,
    race,
    retry,
    run_async,
    scoped,
    succeed,
    timeout,
)
from anabranch.interpreters import Backend
from property_tests.effects.virtual import BACKENDS

Step = Effect[Any, Any, Any]


class Fault(Enum):
    FAILURE = "failure"
    DEFECT = "defect"
    CANCELLATION = "cancellation"
    NATIVE = "native cancellation"


class BugError(Exception):
    """The defect."""


@define
class Steps:
    """Counts the steps of a run, and lets a fault strike at one of them."""

    strikes_at: int
    fault: Fault
    cancel: Callable[[], object]
    taken: int = 0
    acquired: list[int] = field(factory=list[int])
    released: list[int] = field(factory=list[int])

    def step(self) -> Step:
        """One step, after which others have their turn."""
        return from_async(self._take)

    async def _take(self, _: object) -> Result[int, str]:
        self.taken += 1
        number = self.taken
        strikes = number == self.strikes_at
        if strikes and self.fault is Fault.FAILURE:
            return Failure("fault")
        if strikes and self.fault is Fault.DEFECT:
            raise BugError
        if strikes:
            self.cancel()
        await anyio.lowlevel.checkpoint()
        return Success(number)

    def hold(self, use: Callable[[], Step]) -> Step:
        """A resource that takes two steps to have and one to give back."""

        async def close(resource: int) -> Result[None, Never]:
            await anyio.lowlevel.checkpoint()
            self.released.append(resource)
            return Success(None)

        return bracket(
            self.step().and_then(lambda _: self.open()),
            lambda resource: from_async(lambda _: close(resource)),
            lambda _: use(),
        )

    def open(self) -> Effect[int, str, object]:
        async def take_and_have(env: object) -> Result[int, str]:
            ended = await self._take(env)
            ended.map(self.acquired.append)
            return ended

        return from_async(take_and_have)

    def in_scope(self, scope: Scope[Any, Any]) -> Step:
        """The same resource, held by a scope."""

        def release(resource: int) -> Effect[None, Never, object]:
            async def close(_: object) -> Result[None, Never]:
                await anyio.lowlevel.checkpoint()
                self.released.append(resource)
                return Success(None)

            return from_async(close)

        return scope.acquire(self.open(), release)


Shape = Callable[[Steps], Step]


def nested(steps: Steps) -> Step:
    return steps.hold(lambda: steps.hold(lambda: steps.hold(steps.step)))


def in_sequence(steps: Steps) -> Step:
    @do
    def body() -> Do[Any, Any, Any]:
        for _ in range(3):
            yield from steps.hold(steps.step)
        return (yield from steps.step())

    return body()


def side_by_side(steps: Steps) -> Step:
    return par_all([steps.hold(steps.step) for _ in range(3)])


def side_by_side_limited(steps: Steps) -> Step:
    return par_all_limit((steps.hold(steps.step) for _ in range(4)), 2)


def all_or_nothing(steps: Steps) -> Step:
    return par_try_all([steps.hold(steps.step), steps.step(), steps.hold(nested_in(steps))])


def nested_in(steps: Steps) -> Callable[[], Step]:
    return lambda: steps.hold(steps.step)


def racing(steps: Steps) -> Step:
    return race([steps.hold(nested_in(steps)), steps.hold(steps.step), nested(steps)])


def around_groups(steps: Steps) -> Step:
    return steps.hold(lambda: par_all([steps.hold(steps.step), steps.step()]))


def with_groups_in_acquisition(steps: Steps) -> Step:
    acquire = par_all([steps.step(), steps.step()])
    return bracket(acquire, lambda _: succeed(None), lambda _: nested(steps))


def retried(steps: Steps) -> Step:
    return retry(nested(steps), RetryPolicy.fixed(0, max_attempts=3))


def limited(steps: Steps) -> Step:
    return timeout(nested(steps), "1h")


def in_a_scope(steps: Steps) -> Step:
    def use(scope: Scope[Any, Any]) -> Step:
        first = steps.in_scope(scope)
        return first.and_then(lambda _: steps.in_scope(scope)).and_then(lambda _: nested(steps))

    return scoped(use)


def in_a_graph(steps: Steps) -> Step:
    nodes = {key: steps.hold(steps.step) for key in "abcd"}
    return par_graph(nodes, {"b": "a", "c": "a", "d": "bc"})


SHAPES: list[Shape] = [
    nested,
    in_sequence,
    side_by_side,
    side_by_side_limited,
    all_or_nothing,
    racing,
    around_groups,
    with_groups_in_acquisition,
    retried,
    limited,
    in_a_scope,
    in_a_graph,
]


def strike(shape: Shape, backend: Backend, fault: Fault, at: int) -> Steps:
    """Run an effect with a fault at one step; whatever comes out of it is not looked at."""

    async def main() -> Steps:
        scope = anyio.CancelScope()
        task = asyncio.current_task() if fault is Fault.NATIVE else None
        steps = Steps(at, fault, scope.cancel if task is None else task.cancel)
        with scope:
            try:
                await run_async(shape(steps))
            except (BugError, ExceptionGroup):
                assert fault is Fault.DEFECT
            except asyncio.CancelledError:
                if fault is not Fault.NATIVE:
                    raise
        return steps

    return anyio.run(main, backend=backend)


FAULTS: list[tuple[Backend, Fault]] = [
    (backend, fault)
    for backend in BACKENDS
    for fault in Fault
    if not (backend == "trio" and fault is Fault.NATIVE)
]


@pytest.mark.parametrize(("backend", "fault"), FAULTS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_what_was_acquired_is_released_once_whichever_step_is_struck(
    shape: Shape, backend: Backend, fault: Fault
) -> None:
    at, taken = 0, 1
    while at <= taken:
        steps = strike(shape, backend, fault, at)
        assert Counter(steps.acquired) == Counter(steps.released), f"struck at step {at}"
        assert len(steps.acquired) == len(set(steps.acquired))
        at, taken = at + 1, steps.taken


@pytest.mark.parametrize(("backend", "fault"), FAULTS, ids=str)
def test_what_is_nested_is_released_from_the_inside_out(backend: Backend, fault: Fault) -> None:
    for at in range(9):
        steps = strike(nested, backend, fault, at)
        assert steps.acquired == steps.released[::-1]


trees = st.recursive(
    st.just(None),
    lambda inner: st.tuples(st.sampled_from(["hold", "all", "try", "race", "do"]), inner, inner),
    max_leaves=8,
)


@pytest.mark.parametrize(("backend", "fault"), FAULTS, ids=str)
@given(trees, st.integers(0, 30))
def test_in_any_tree_of_resources_what_was_acquired_is_released_once(
    backend: Backend, fault: Fault, tree: Any, at: int
) -> None:
    steps = strike(lambda steps: grown(steps, tree), backend, fault, at)
    assert Counter(steps.acquired) == Counter(steps.released)


def grown(steps: Steps, tree: Any) -> Step:
    if tree is None:
        return steps.hold(steps.step)
    kind, left, right = tree
    one, two = grown(steps, left), grown(steps, right)
    match kind:
        case "hold":
            return steps.hold(lambda: one.and_then(lambda _: two))
        case "all":
            return par_all([one, two])
        case "try":
            return par_try_all([one, two])
        case "race":
            return race([one, two])
        case _:
            return one.zip(two)
