"""How a `do` function is left: what it has in `finally` runs, also if that is an effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Never

import pytest
from returns.result import Failure, Result, Success

from anabranch import (
    Do,
    Effect,
    bracket,
    do,
    dry_run,
    fail,
    from_function,
    par_all,
    run,
    sleep,
    succeed,
    timeout,
)
from anabranch.testing import run_virtual
from anabranch.testing.reference import run_reference

Run = Callable[[Effect[Any, Any, Any]], Result[Any, Any] | None]

RUNS: dict[str, Run] = {
    "asyncio": run,
    "trio": lambda effect: run(effect, backend="trio"),
    "virtual": lambda effect: run_virtual(effect).result,
    "reference": lambda effect: run_reference(effect, None),
    "dry": lambda effect: dry_run(effect, object()).result,
}
everywhere = pytest.mark.parametrize("how", RUNS)
Log = list[str]


def note(log: Log, text: str) -> Effect[None, Any, object]:
    return sleep(0).map(lambda _: log.append(text))


@do
def cleaning(
    log: Log, first: Effect[int, str, object], last: Effect[Any, str, object]
) -> Do[int, str, object]:
    try:
        value = yield from first
        log.append("went on")
        return value
    finally:
        yield from note(log, "cleaned")
        yield from last
        log.append("all of it")


@everywhere
def test_a_failure_runs_the_effects_in_finally_and_then_counts(how: str) -> None:
    log: Log = []
    effect = cleaning(log, fail("no"), succeed(None))
    assert Failure("no") == RUNS[how](effect)
    assert ["cleaned", "all of it"] == log
    assert Success("no") == RUNS[how](effect.or_else(succeed))


@everywhere
def test_a_value_does_so_too(how: str) -> None:
    log: Log = []
    assert Success(1) == RUNS[how](cleaning(log, succeed(1), succeed(None)))
    assert ["went on", "cleaned", "all of it"] == log


@everywhere
def test_a_failure_in_finally_counts_instead(how: str) -> None:
    log: Log = []
    assert Failure("worse") == RUNS[how](cleaning(log, fail("no"), fail("worse")))
    assert Failure("worse") == RUNS[how](cleaning(log, succeed(1), fail("worse")))
    assert ["cleaned", "went on", "cleaned"] == log


@everywhere
def test_functions_in_functions_are_left_from_the_inside_out(how: str) -> None:
    log: Log = []
    inner = cleaning(log, fail("no"), note(log, "inner"))
    assert Failure("no") == RUNS[how](cleaning(log, inner, note(log, "outer")))
    assert ["cleaned", "inner", "all of it", "cleaned", "outer", "all of it"] == log


@everywhere
def test_a_function_that_will_not_be_left_fails_all_the_same(how: str) -> None:
    @do
    def stubborn() -> Do[int, str, object]:
        try:
            yield from fail("no")
        except GeneratorExit:
            yield from sleep(0)
        return 1

    assert Failure("no") == RUNS[how](stubborn())


@pytest.mark.parametrize("how", ["asyncio", "trio", "virtual", "reference"])
def test_a_defect_in_finally_counts_more_than_the_failure(how: str) -> None:
    log: Log = []
    broken: Effect[int, Never, object] = from_function(lambda _: Success(1 // 0))
    with pytest.raises(ZeroDivisionError):
        RUNS[how](cleaning(log, fail("no"), broken))
    assert ["cleaned"] == log


@pytest.mark.parametrize("how", ["asyncio", "trio", "virtual"])
def test_a_function_that_is_cancelled_may_still_do_what_does_not_wait(how: str) -> None:
    log: Log = []

    def at_once(text: str) -> Effect[None, Any, object]:
        return succeed(text).map(log.append)

    @do
    def waiting() -> Do[None, Any, object]:
        try:
            yield from sleep("1h")
        finally:
            yield from bracket(at_once("opened"), lambda _: at_once("closed"), succeed)
            yield from at_once("left")

    result = RUNS[how](timeout(par_all([waiting()]), "1ms").map_error(str))
    assert (Failure("timed out after 0.001s"), ["opened", "closed", "left"]) == (result, log)
