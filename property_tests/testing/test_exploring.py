"""Exploring: all that can happen is seen, and what only repeats it in another order is left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import pytest
from attrs import field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from returns.result import Result, Success

from anabranch import (
    Effect,
    from_async,
    par_all,
    par_all_limit,
    par_try_all,
    race,
    sleep,
    timeout,
    traverse,
)
from anabranch.testing import virtual_sleep
from anabranch.testing.simulation import Chance, Run, explore
from anabranch.values import UsageError

Act: TypeAlias = tuple[str, bool]
"""A cell, and whether it is written."""


@frozen
class Cells:
    """Shared cells, and what everybody read."""

    chance: Chance
    cells: dict[str, int] = field(factory=dict[str, int])
    read: dict[tuple[int, int], int] = field(factory=dict[tuple[int, int], int])


def act(worker: int, number: int, cell: str, *, write: bool) -> Effect[None, Any, Cells]:
    async def perform(env: Cells) -> Result[None, Any]:
        env.chance.touch(cell, write=write)
        seen = env.cells.get(cell, 0)
        if write:
            env.cells[cell] = 10 * seen + worker + 1
        else:
            env.read[worker, number] = seen
        return Success(None)

    return from_async(perform)


def worker(number: int, acts: Sequence[Act]) -> Effect[Any, Any, Cells]:
    made = [act(number, index, cell, write=write) for index, (cell, write) in enumerate(acts)]
    return traverse(made, lambda effect: effect)


def outcomes(effect: Effect[Any, Any, Cells], *, declared: bool) -> tuple[set[str], int]:
    seen: set[str] = set()

    def note(run: Run) -> None:
        env = run.env
        seen.add(f"{run.result} {sorted(env.cells.items())} {sorted(env.read.items())}")

    simulation = explore(effect, Cells, check=note, declared=declared, at_most=50_000)
    return seen, simulation.runs


acts = st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), min_size=1, max_size=2)
workers = st.lists(acts, min_size=1, max_size=3)


@settings(max_examples=20)
@given(workers, st.none() | st.integers(1, 2), st.booleans())
def test_leaving_out_repetitions_leaves_out_no_outcome(
    jobs: list[list[Act]], limit: int | None, fast: bool
) -> None:
    effects = [worker(number, acts) for number, acts in enumerate(jobs)]
    combine = par_try_all if fast else par_all_limit
    effect = combine(effects, limit or len(effects))
    every, runs = outcomes(effect, declared=False)
    few, fewer = outcomes(effect, declared=True)
    assert every == few
    assert fewer <= runs


@settings(max_examples=20)
@given(workers)
def test_leaving_out_repetitions_leaves_out_no_winner_of_a_race(jobs: list[list[Act]]) -> None:
    effect = race([worker(number, acts) for number, acts in enumerate(jobs)])
    assert outcomes(effect, declared=False)[0] == outcomes(effect, declared=True)[0]


@settings(max_examples=12)
@given(acts, acts)
def test_leaving_out_repetitions_leaves_out_no_moment_of_a_timeout(
    first: list[Act], second: list[Act]
) -> None:
    late = timeout(sleep("1s").and_then(lambda _: worker(0, first)), "1s").settled()
    effect = par_all([late, sleep("1s").and_then(lambda _: worker(1, second))])
    assert outcomes(effect, declared=False)[0] == outcomes(effect, declared=True)[0]


@pytest.mark.parametrize(("count", "steps"), [(1, 3), (2, 1), (2, 2), (2, 3), (3, 1)])
def test_all_interleavings_of_steps_are_made(count: int, steps: int) -> None:
    seen: set[tuple[int, ...]] = set()

    def stepping(number: int) -> Effect[Any, Any, list[int]]:
        async def step(log: list[int]) -> Result[None, Any]:
            log.append(number)
            return Success(None)

        return traverse(range(steps), lambda _: from_async(step))

    explore(
        par_all([stepping(number) for number in range(count)]),
        lambda _: list[int](),
        check=lambda run: seen.add(tuple(run.env)),
        at_most=200_000,
    )
    assert math.factorial(count * steps) // math.factorial(steps) ** count == len(seen)


def test_workers_that_share_nothing_need_only_the_orders_of_their_ends() -> None:
    jobs = [worker(number, [(f"cell {number}", True)] * 3) for number in range(3)]
    simulation = explore(par_all(jobs), Cells, declared=True)
    assert math.factorial(3) == simulation.runs


def test_every_answer_of_chance_is_tried() -> None:
    seen: set[tuple[int, int]] = set()

    async def ask(chance: Chance) -> Result[tuple[int, int], Any]:
        first = chance.pick(3)
        await virtual_sleep(1)
        return Success((first, chance.rarely(2, 0.001)))

    def note(run: Run) -> None:
        assert run.result is not None
        seen.add(run.result.unwrap())

    assert 6 == explore(from_async(ask), lambda chance: chance, check=note).runs
    assert {(first, second) for first in range(3) for second in range(2)} == seen


def test_too_many_schedules_are_an_error_and_no_silence() -> None:
    jobs = [worker(number, [("a", True)] * 4) for number in range(4)]
    with pytest.raises(UsageError, match="more schedules"):
        explore(par_all(jobs), Cells, at_most=100)
