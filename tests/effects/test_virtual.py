"""The simulator's driver: what it gives up goes no further, and nothing is left of a run."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any
from weakref import ref

import pytest
from attrs import define
from returns.result import Result, Success

from anabranch import Effect, from_async, from_function, par_all, par_all_limit, sleep, timeout
from anabranch.interpreters.strands import Gate, virtual_halt
from anabranch.interpreters.virtual import DeadlockError, run_virtual
from anabranch.testing.simulation import simulate


async def ignore_the_end(_: object) -> Result[None, Any]:
    with suppress(BaseException):
        await Gate("never").wait()
    return Success(None)


def note(told: list[str]) -> Result[None, Any]:
    told.append("went on")
    return Success(None)


STUBBORN: Effect[None, Any, list[str]] = from_async(ignore_the_end).and_then(
    lambda _: from_function(note)
)


async def halt(_: object) -> Result[None, Any]:
    await virtual_halt()
    return Success(None)


def test_what_never_ends_is_given_up_where_it_stands() -> None:
    told: list[str] = []
    with pytest.raises(DeadlockError):
        run_virtual(STUBBORN, told)
    gc.collect()
    assert [] == told


def test_what_is_halted_is_given_up_where_it_stands() -> None:
    told: list[str] = []
    ends = sleep("1s").and_then(lambda _: from_async(halt))
    run_virtual(par_all([STUBBORN, ends]), told)
    gc.collect()
    assert [] == told


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_coroutine_that_needs_an_event_loop_is_told_that_there_is_none(seconds: int) -> None:
    async def rest(_: object) -> Result[str, Any]:
        try:
            await asyncio.sleep(seconds)
        except RuntimeError as error:
            return Success(str(error))
        return Success("rested")

    answer = run_virtual(from_async(rest)).result.unwrap()
    assert "event loop" in answer


@define
class Place:
    """An environment."""


@contextmanager
def without_a_collector() -> Generator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def test_a_run_leaves_nothing_for_the_garbage_collector() -> None:
    places: list[ref[Place]] = []

    def place(_: object) -> Place:
        made = Place()
        places.append(ref(made))
        return made

    jobs = [sleep(n % 3).and_then(lambda _: sleep("1s")) for n in range(5)]
    effect = timeout(par_all_limit(jobs, 2), "1h")
    with without_a_collector():
        simulate(effect, place, schedules=3)
        assert [None] * 3 == [seen() for seen in places]
