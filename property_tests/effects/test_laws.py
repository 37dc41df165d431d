"""The laws of the combinators: two ways to write an effect that nobody can tell apart.

Two effects are the same if runs of them end alike and write the same to their traces, at the
same moments, whatever they are made of.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from anabranch import (
    Do,
    Effect,
    RetryPolicy,
    ask,
    asks,
    bracket,
    do,
    fail,
    fallback,
    from_result,
    par_all,
    par_all_limit,
    par_fold,
    par_graph,
    par_settle,
    par_traverse,
    par_try_all,
    race,
    repeat,
    retry,
    sleep,
    succeed,
    timeout,
    traverse,
    zip_par,
)
from anabranch.testing.strategies.effects import (
    Compiled,
    Program,
    Trace,
    compile_program,
    mix,
    programs,
)
from property_tests.effects.runs import live

AnEffect = Effect[Any, Any, Any]
Made = Callable[[Program], Compiled]

anything = programs(max_steps=5)
sequential = programs(parallel=(), max_steps=4)
values = st.integers(0, 9)
errors = st.sampled_from(["no", "never"])


def same(write: Callable[[Made], tuple[AnEffect, AnEffect]]) -> None:
    """Run both of two ways to write an effect; `Made` compiles a program for the run."""

    def make(side: int, trace: Trace) -> AnEffect:
        return write(lambda program: compile_program(program, trace))[side]

    assert live(partial(make, 0)) == live(partial(make, 1))


def arrow(make: Made, program: Program) -> Callable[[int], Compiled]:
    """A function from a value to an effect: what the program does, mixed with the value."""
    return lambda value: make(program).map(lambda other: mix(value, other))


def handler(make: Made, program: Program) -> Callable[[str], Compiled]:
    """A function from an error to an effect."""
    return lambda error: make(program).map_error(lambda other: f"{other} after {error}")


# --- functor -----------------------------------------------------------------------------------


@given(anything)
def test_mapping_the_identity_changes_nothing(m: Program) -> None:
    same(lambda make: (make(m).map(lambda value: value), make(m)))
    same(lambda make: (make(m).map_error(lambda error: error), make(m)))


@given(anything)
def test_mapping_twice_is_mapping_the_composition(m: Program) -> None:
    same(
        lambda make: (
            make(m).map(lambda value: value + 1).map(str),
            make(m).map(lambda value: str(value + 1)),
        )
    )
    same(
        lambda make: (
            make(m).map_error(lambda error: error + "!").map_error(len),
            make(m).map_error(lambda error: len(error + "!")),
        )
    )


# --- monad -------------------------------------------------------------------------------------


@given(values, anything)
def test_succeed_is_a_left_identity(value: int, f: Program) -> None:
    same(lambda make: (succeed(value).and_then(arrow(make, f)), arrow(make, f)(value)))


@given(anything)
def test_succeed_is_a_right_identity(m: Program) -> None:
    same(lambda make: (make(m).and_then(succeed), make(m)))


@given(sequential, sequential, anything)
def test_and_then_is_associative(m: Program, f: Program, g: Program) -> None:
    same(
        lambda make: (
            make(m).and_then(arrow(make, f)).and_then(arrow(make, g)),
            make(m).and_then(lambda value: arrow(make, f)(value).and_then(arrow(make, g))),
        )
    )


@given(anything)
def test_map_is_and_then_with_succeed(m: Program) -> None:
    same(lambda make: (make(m).map(str), make(m).and_then(lambda value: succeed(str(value)))))


@given(sequential, anything)
def test_do_notation_is_and_then(m: Program, f: Program) -> None:
    @do
    def steps(make: Made) -> Do[int, str, int]:
        value = yield from make(m)
        other = yield from arrow(make, f)(value)
        return value + other

    same(
        lambda make: (
            steps(make),
            make(m).and_then(lambda value: arrow(make, f)(value).map(lambda other: value + other)),
        )
    )


# --- the error channel -------------------------------------------------------------------------


@given(errors, anything)
def test_fail_is_a_left_identity_of_or_else(error: str, h: Program) -> None:
    same(lambda make: (fail(error).or_else(handler(make, h)), handler(make, h)(error)))


@given(anything)
def test_fail_is_a_right_identity_of_or_else(m: Program) -> None:
    same(lambda make: (make(m).or_else(fail), make(m)))


@given(sequential, sequential, anything)
def test_or_else_is_associative(m: Program, h: Program, k: Program) -> None:
    same(
        lambda make: (
            make(m).or_else(handler(make, h)).or_else(handler(make, k)),
            make(m).or_else(lambda error: handler(make, h)(error).or_else(handler(make, k))),
        )
    )


@given(values, errors, anything)
def test_a_failure_passes_what_is_for_values_and_the_other_way_round(
    value: int, error: str, f: Program
) -> None:
    same(lambda make: (fail(error).and_then(arrow(make, f)), fail(error)))
    same(lambda make: (succeed(value).or_else(handler(make, f)), succeed(value)))
    same(lambda _: (fail(error).map(str), fail(error)))
    same(lambda _: (succeed(value).map_error(len), succeed(value)))


@given(anything)
def test_settling_and_opening_the_result_changes_nothing(m: Program) -> None:
    same(lambda make: (make(m).settled().and_then(from_result), make(m)))


@given(anything)
def test_recover_is_or_else_with_succeed(m: Program) -> None:
    same(
        lambda make: (
            make(m).recover(len),
            make(m).or_else(lambda error: succeed(len(error))),
        )
    )


@given(sequential, anything)
def test_fallback_tries_the_next_after_a_failure(m: Program, other: Program) -> None:
    same(
        lambda make: (
            fallback(make(m), make(other)),
            make(m).or_else(lambda _: make(other)),
        )
    )


# --- derived combinators -----------------------------------------------------------------------


@given(sequential, anything)
def test_zip_and_tap_are_two_steps(m: Program, n: Program) -> None:
    same(
        lambda make: (
            make(m).zip(make(n)),
            make(m).and_then(lambda left: make(n).map(lambda right: (left, right))),
        )
    )
    same(lambda make: (make(m).zip_with(make(n), mix), make(m).zip(make(n)).map(lambda p: mix(*p))))
    same(
        lambda make: (
            make(m).tap(lambda _: make(n)),
            make(m).and_then(lambda value: make(n).as_(value)),
        )
    )


@given(anything, st.booleans())
def test_a_condition_runs_all_or_nothing(m: Program, condition: bool) -> None:
    same(lambda make: (make(m).when(condition), make(m) if condition else succeed(None)))
    same(lambda make: (make(m).unless(not condition), make(m).when(condition)))


@given(anything)
def test_ensure_is_filter_or_fail(m: Program) -> None:
    same(
        lambda make: (
            make(m).ensure(lambda value: value > 4, "small"),
            make(m).and_then(lambda value: succeed(value) if value > 4 else fail("small")),
        )
    )


# --- environments ------------------------------------------------------------------------------


@given(anything, values)
def test_the_environment_that_is_provided_is_the_one_that_is_asked_for(
    m: Program, env: int
) -> None:
    same(lambda make: (make(m).provide(env), make(m).local(lambda _: env)))
    same(lambda make: (make(m).local(lambda env: env), make(m)))
    same(lambda make: (make(m).provide(env).provide(env + 1), make(m).provide(env)))
    same(lambda make: (make(m).local(add).local(double), make(m).local(lambda n: add(double(n)))))


def add(number: int) -> int:
    return number + 1


def double(number: int) -> int:
    return number * 2


@given(values)
def test_asking_is_reading_the_environment(value: int) -> None:
    asked: Effect[int, Any, int] = ask()
    same(lambda _: (asked.map(lambda env: env + value), asks(lambda env: env + value)))


# --- several at once, against one after the other ----------------------------------------------


@given(anything)
def test_one_at_once_is_one(m: Program) -> None:
    same(lambda make: (par_try_all([make(m)]), make(m).map(lambda value: [value])))
    same(lambda make: (par_settle([make(m)]), make(m).settled().map(lambda result: [result])))
    same(lambda make: (race([make(m)]), make(m)))
    same(lambda make: (par_fold([make(m)], 1, 3, mix), make(m).map(lambda value: mix(3, value))))
    same(
        lambda make: (
            par_graph({"it": make(m)}, {}).map_error(lambda error: error.errors["it"]),
            make(m).map(lambda value: {"it": value}),
        )
    )


@given(st.lists(sequential, max_size=4))
def test_with_room_for_one_they_run_one_after_the_other(ms: list[Program]) -> None:
    same(lambda make: (par_try_all([make(m) for m in ms], 1), traverse(ms, make)))


@given(st.lists(programs(parallel=(), max_steps=4, defects=False), max_size=4))
def test_settled_with_room_for_one_they_run_one_after_the_other(ms: list[Program]) -> None:
    same(
        lambda make: (
            par_settle([make(m) for m in ms], 1),
            traverse(ms, lambda m: make(m).settled()),
        )
    )


@given(st.lists(anything, max_size=4), st.integers(1, 4))
def test_par_all_is_par_settle_with_its_failures_gathered(ms: list[Program], limit: int) -> None:
    same(
        lambda make: (
            par_all_limit([make(m) for m in ms], limit).settled().map(str),
            par_settle([make(m) for m in ms], limit).and_then(gathered).settled().map(str),
        )
    )
    same(
        lambda make: (
            par_traverse(ms, make, limit),
            par_all_limit([make(m) for m in ms], limit),
        )
    )


def gathered(results: list[Any]) -> AnEffect:
    return par_all([from_result(result) for result in results])


@given(st.lists(anything, max_size=4))
def test_a_limit_with_room_for_all_is_none(ms: list[Program]) -> None:
    same(
        lambda make: (
            par_all([make(m) for m in ms]),
            par_all_limit([make(m) for m in ms], len(ms) + 1),
        )
    )


@given(anything, anything)
def test_zip_par_is_par_try_all_of_different_effects(m: Program, n: Program) -> None:
    same(lambda make: (zip_par(make(m), make(n)), par_try_all([make(m), make(n)]).map(tuple)))


@given(st.lists(programs(max_steps=5, defects=False), min_size=1, max_size=4), st.integers(1, 4))
def test_a_graph_without_edges_is_par_settle(ms: list[Program], limit: int) -> None:
    def as_graph(make: Made) -> AnEffect:
        return par_graph(dict(enumerate(map(make, ms))), {}, limit=limit).map(
            lambda values: list(values.values())
        )

    same(
        lambda make: (
            as_graph(make).map_error(lambda error: (error.errors, error.successes)),
            par_all_limit(list(map(make, ms)), limit).map_error(
                lambda error: (error.errors, error.successes)
            ),
        )
    )


@given(st.lists(sequential, min_size=1, max_size=4))
def test_a_graph_that_is_a_chain_runs_one_after_the_other(ms: list[Program]) -> None:
    chain = {index: [index - 1] for index in range(1, len(ms))}
    same(
        lambda make: (
            par_graph(dict(enumerate(map(make, ms))), chain)
            .map(lambda values: list(values.values()))
            .map_error(lambda error: next(iter(error.errors.values()))),
            traverse(ms, make),
        )
    )


# --- time and resources ------------------------------------------------------------------------


@given(anything)
def test_a_limit_that_is_never_reached_changes_nothing(m: Program) -> None:
    same(lambda make: (timeout(make(m), "40000h"), make(m)))
    same(lambda make: (race([make(m), sleep("40000h")]), make(m)))


@given(anything)
def test_one_attempt_and_one_round_are_no_more_than_the_effect(m: Program) -> None:
    same(lambda make: (retry(make(m), RetryPolicy.fixed("1s", max_attempts=1)), make(m)))
    same(lambda make: (repeat(make(m), times=1), make(m)))


@given(anything)
def test_a_resource_that_is_nothing_changes_nothing(m: Program) -> None:
    nothing = succeed(None)
    same(lambda make: (bracket(nothing, lambda _: nothing, lambda _: make(m)), make(m)))
    same(lambda make: (make(m).and_finally(nothing), make(m)))


@given(anything)
def test_a_label_that_is_not_carried_changes_nothing(m: Program) -> None:
    same(lambda make: (make(m).span("here"), make(m)))
    same(lambda make: (make(m).context("here").map_error(lambda error: error.error), make(m)))
