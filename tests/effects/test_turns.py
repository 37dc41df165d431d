"""Whoever never waits leaves others their turn; whoever is cancelled begins nothing new."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any, Never

import anyio
import pytest
from returns.result import Failure, Result, Success

from anabranch import (
    Effect,
    bracket,
    from_async,
    from_blocking,
    from_function,
    par_all,
    par_all_limit,
    par_fold,
    par_traverse,
    run,
    run_async,
    sleep,
    succeed,
)
from anabranch.interpreters import Backend
from anabranch.interpreters.machine import SLICE
from anabranch.interpreters.turns import BUDGET

BACKENDS: tuple[Backend, ...] = ("asyncio", "trio")
on_both = pytest.mark.parametrize("backend", BACKENDS)
LIMIT = 16


async def steps_between_turns(effect: Effect[Any, Any, object], steps: list[int]) -> list[int]:
    """How many steps were taken before each turn of another task."""
    before: list[int] = []
    async with anyio.create_task_group() as tasks:

        async def watch() -> None:
            while True:
                taken = len(steps)
                await anyio.lowlevel.checkpoint()
                before.append(len(steps) - taken)

        tasks.start_soon(watch)
        await anyio.lowlevel.checkpoint()
        await run_async(effect)
        tasks.cancel_scope.cancel()
    return before


@on_both
def test_async_leaves_that_never_wait_leave_others_a_turn(backend: Backend) -> None:
    steps: list[int] = []

    async def leaf(_: object) -> Result[None, Never]:
        steps.append(1)
        return Success(None)

    effect = par_all_limit((from_async(leaf) for _ in range(3000)), LIMIT)
    before = anyio.run(steps_between_turns, effect, steps, backend=backend)
    assert 3000 == len(steps)
    # trio wakes the tasks of one turn in any order, so that two turns may lie between two of ours.
    assert max(before) <= 2 * (BUDGET + 2 * LIMIT)


@on_both
@pytest.mark.parametrize("limit", [1, LIMIT])
def test_steps_that_need_no_event_loop_leave_others_a_turn(backend: Backend, limit: int) -> None:
    steps: list[int] = []
    effects = (succeed(1).map(steps.append) for _ in range(30_000))
    before = anyio.run(steps_between_turns, par_all_limit(effects, limit), steps, backend=backend)
    assert max(before) <= SLICE * (BUDGET + 2 * limit)


def test_leaves_that_wait_anyway_give_up_the_loop_no_second_time() -> None:
    """On asyncio: one turn of the loop for each time that all of the workers wait."""
    steps: list[int] = []

    async def leaf(_: object) -> Result[None, Never]:
        await anyio.lowlevel.checkpoint()
        steps.append(1)
        return Success(None)

    effect = par_all_limit((from_async(leaf) for _ in range(3200)), LIMIT)
    before = anyio.run(steps_between_turns, effect, steps)
    assert len(before) <= 3200 / LIMIT + 10


@on_both
def test_a_worker_that_was_cancelled_while_it_released_begins_no_other_job(
    backend: Backend,
) -> None:
    begun: list[int] = []
    released: list[int] = []

    def job(number: int, outer: anyio.CancelScope) -> Effect[None, Never, object]:
        def begin(_: object) -> Result[None, Never]:
            begun.append(number)
            return Success(None)

        release = succeed(None).map(lambda _: outer.cancel()).and_then(lambda _: sleep(0))
        return bracket(
            from_function(begin),
            lambda _: release.map(lambda _: released.append(number)),
            lambda _: succeed(None),
        )

    async def main() -> None:
        with anyio.CancelScope() as outer:
            await run_async(par_traverse(range(9), lambda number: job(number, outer), 2))

    anyio.run(main, backend=backend)
    assert sorted(begun) == sorted(released)
    assert len(begun) <= 2


@on_both
@pytest.mark.parametrize("ending", ["a value", "a failure", "a defect"])
def test_however_the_use_ended(backend: Backend, ending: str) -> None:
    begun: list[int] = []

    def use(_: object) -> Result[None, str]:
        if ending == "a defect":
            raise ValueError("bug")
        return Success(None) if ending == "a value" else Failure("no")

    def job(number: int, outer: anyio.CancelScope) -> Effect[None, str, object]:
        release = succeed(None).map(lambda _: outer.cancel()).and_then(lambda _: sleep(0))
        acquire = succeed(number).map(begun.append)
        return bracket(acquire, lambda _: release, lambda _: from_function(use))

    async def main() -> None:
        with anyio.CancelScope() as outer:
            await run_async(par_traverse(range(9), lambda number: job(number, outer), 1))

    if ending == "a defect":
        with pytest.raises(ValueError, match="bug"):
            anyio.run(main, backend=backend)
    else:
        anyio.run(main, backend=backend)
    assert [0] == begun


@on_both
def test_a_cancellation_while_a_thread_works_is_seen_when_it_is_done(backend: Backend) -> None:
    after: list[int] = []

    async def main() -> None:
        with anyio.CancelScope() as outer:

            def work(_: object) -> Result[None, Never]:
                anyio.from_thread.run_sync(outer.cancel)
                return Success(None)

            await run_async(from_blocking(work).map(lambda _: after.append(1)))

    anyio.run(main, backend=backend)
    assert [] == after


@on_both
def test_a_function_that_raises_instead_of_making_an_effect_is_the_defect_of_its_item(
    backend: Backend,
) -> None:
    done: list[int] = []

    def make(item: int) -> Effect[None, Never, object]:
        return sleep(0).as_(1 // item).map(done.append)

    with pytest.raises(ZeroDivisionError):
        run(par_traverse([1, 0, 1, 1], make, 2), backend=backend)
    assert [1, 1, 1] == done


@on_both
@pytest.mark.parametrize("limit", [1, 2, 9])
@pytest.mark.parametrize("waits", [False, True])
def test_a_step_that_raises_is_the_defect_of_its_fold_and_ends_it(
    backend: Backend, *, waits: bool, limit: int
) -> None:
    seen: list[int] = []

    def step(total: int, value: int) -> int:
        seen.append(value)
        return total // value

    effects = (sleep(0).as_(n) if waits else succeed(n) for n in (1, 0, *range(2, 99)))
    with pytest.raises(ZeroDivisionError):
        run(par_fold(effects, limit, 0, step), backend=backend)
    assert 0 in seen
    assert len(seen) < 2 * limit + 2


@on_both
def test_an_iterable_that_raises_lets_those_end_that_have_begun(backend: Backend) -> None:
    done: list[int] = []

    def effects() -> Any:
        yield sleep(0).as_(1).map(done.append)
        raise LookupError("no more")

    with pytest.raises(LookupError):
        run(par_all(effects()), backend=backend)
    assert [1] == done


@on_both
def test_whoever_used_up_its_slice_and_then_waits_keeps_nobody_from_beginning(
    backend: Backend,
) -> None:
    long: Effect[int, Never, object] = succeed(0)
    for _ in range(SLICE):
        long = long.map(lambda n: n + 1)
    begun: list[str] = []
    effects = [
        succeed(0),
        long.and_then(lambda _: sleep("1ms")).map(lambda _: begun.append("waited")),
        succeed("began").map(begun.append),
    ]
    run(par_all(effects), backend=backend)
    assert ["began", "waited"] == begun


class Hiccup:
    """Raises when it is asked for the second of its five effects, and would go on after that."""

    def __init__(self) -> None:
        self.asked = 0

    def __iter__(self) -> Hiccup:
        return self

    def __next__(self) -> Effect[int, Never, object]:
        self.asked += 1
        if self.asked == 2:
            raise LookupError("no second")
        if self.asked > 5:
            raise StopIteration
        return succeed(self.asked)


@on_both
@pytest.mark.parametrize("limit", [1, 2])
def test_an_iterable_that_raised_is_not_asked_again(backend: Backend, limit: int) -> None:
    effects = Hiccup()
    with pytest.raises(LookupError):
        run(par_all_limit(effects, limit), backend=backend)
    assert effects.asked == 2


@on_both
def test_a_job_may_wait_for_something_that_is_no_coroutine(backend: Backend) -> None:
    class Answer:
        def __await__(self) -> Generator[Any, Any, Result[int, Never]]:
            yield from anyio.lowlevel.checkpoint().__await__()
            return Success(1)

    def ask(_: object) -> Awaitable[Result[int, Never]]:
        return Answer()

    effects = [from_async(ask) for _ in range(4)]
    assert run(par_all_limit(effects, 2), backend=backend) == Success([1] * 4)


@on_both
def test_a_leaf_that_raises_before_it_waits_is_the_defect_of_its_job(backend: Backend) -> None:
    async def waits(_: object) -> Result[int, Never]:
        await anyio.lowlevel.checkpoint()
        done.append(1)
        return Success(1)

    def raises(_: object) -> Awaitable[Result[int, Never]]:
        raise ZeroDivisionError

    done: list[int] = []
    effects = [from_async(waits), from_async(raises), from_async(waits), from_async(raises)]
    with pytest.raises(ExceptionGroup) as caught:
        run(par_all_limit(effects, 1), backend=backend)
    assert [ZeroDivisionError] * 2 == [type(error) for error in caught.value.exceptions]
    assert [1, 1] == done
