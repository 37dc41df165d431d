"""Looking at a very deep effect needs no more Python stack than at a shallow one."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator
from operator import neg
from typing import Any, Final

import pytest
from returns.result import Success

from anabranch import (
    ContextError,
    Do,
    Effect,
    RetryPolicy,
    bracket,
    do,
    fail,
    fallback,
    from_result,
    par_all,
    par_all_limit,
    par_graph,
    par_try_all,
    race,
    repeat,
    retry,
    run,
    succeed,
    timeout,
)
from anabranch.interpreters import Backend

DEEP = 30_000


@pytest.fixture(autouse=True)
def _little_stack() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    yield
    sys.setrecursionlimit(limit)


def deep() -> Effect[int, object, object]:
    effect: Effect[int, object, object] = succeed(1)
    for _ in range(DEEP // 5):
        effect = effect.and_then(succeed).map(neg).map_error(str).span("here").or_else(fail)
    return effect


def nested_to_the_right(count: int) -> Effect[int, object, object]:
    return succeed(count).and_then(lambda n: nested_to_the_right(n - 1) if n else succeed(0))


def test_it_runs_nested_to_either_side() -> None:
    assert Success(1) == run(deep())
    assert Success(0) == run(nested_to_the_right(DEEP))


def test_its_text_is_short() -> None:
    assert len(repr(deep())) < 1000


def test_it_equals_another_that_is_made_in_the_same_way() -> None:
    assert deep() == deep()
    assert deep() != deep().map(neg)
    assert hash(deep()) == hash(deep())


def test_it_survives_pickling() -> None:
    effect = deep()
    assert effect == pickle.loads(pickle.dumps(effect))


def groups_in_groups() -> Effect[object, object, object]:
    effect: Effect[object, object, object] = succeed(1)
    for _ in range(DEEP // 10):
        effect = par_all([effect, succeed(2)]).map(len)
    return effect


def test_groups_in_groups_are_compared_and_told_as_well() -> None:
    assert groups_in_groups() == groups_in_groups()
    assert hash(groups_in_groups()) == hash(groups_in_groups())
    assert groups_in_groups() != par_all([groups_in_groups()])
    assert "<Effect par(all of 2).map(len)>" == repr(groups_in_groups())


def test_groups_are_equal_if_they_do_the_same_with_equal_effects() -> None:
    one, two = [succeed(1), succeed(2)], [succeed(2), succeed(1)]
    assert par_all(one) == par_all(list(one))
    assert par_all(one) != par_all(two)
    assert par_all(one) != par_all_limit(one, 2)
    assert par_all(one) != race(one)
    graph = {"a": succeed(1), "b": succeed(2)}
    assert par_graph(graph, {"b": "a"}) == par_graph(dict(graph), {"b": "a"})
    assert par_graph(graph, {"b": "a"}) != par_graph(graph, {})


@do
def in_steps(effect: Effect[int, Any, object]) -> Do[int, Any, object]:
    return (yield from effect)


def in_a_bracket(effect: Effect[int, object, object]) -> Effect[int, object, object]:
    return bracket(succeed(1), lambda _: succeed(None), lambda _: effect)


AROUND: Final[dict[str, Callable[[Effect[int, Any, object]], Effect[int, Any, object]]]] = {
    "recover": lambda effect: effect.recover(hash),
    "context": lambda effect: effect.context("here"),
    "bracket, use": in_a_bracket,
    "bracket, acquire": lambda effect: bracket(effect, lambda _: succeed(None), succeed),
    "and_finally": lambda effect: effect.and_finally(succeed(None)),
    "on_interrupt": lambda effect: effect.on_interrupt(succeed(None)),
    "retry": lambda effect: retry(effect, RetryPolicy.fixed("1ms", max_attempts=2)),
    "local": lambda effect: effect.local(lambda env: env),
    "tap": lambda effect: effect.tap(succeed),
    "zip, left": lambda effect: effect.zip_with(succeed(1), max),
    "zip, right": lambda effect: succeed(1).zip_with(effect, max),
    "settled": lambda effect: effect.settled().and_then(from_result),
    "repeat": lambda effect: repeat(effect, times=1),
    "fallback": lambda effect: fallback(effect, succeed(2)),
    "fallback, the last": lambda effect: fallback(fail("no"), effect),
    "do": in_steps,
    "timeout": lambda effect: timeout(effect, "1h"),
    "par_all": lambda effect: par_all([effect]).map(max),
    "par_try_all": lambda effect: par_try_all([effect], 1).map(max),
    "race": lambda effect: race([effect]),
    "par_graph": lambda effect: par_graph({1: effect}, {}).map(len),
}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND.keys())
def test_every_way_to_go_around_an_effect_may_be_nested(
    around: Callable[[Effect[int, Any, object]], Effect[int, Any, object]], backend: Backend
) -> None:
    effect: Effect[int, object, object] = succeed(1)
    for _ in range(DEEP // 20):
        effect = around(effect)
    assert Success(1) == run(effect, backend=backend)


def test_an_error_goes_through_many_labels_in_time_that_grows_with_their_number() -> None:
    effect: Effect[int, Any, object] = fail("no")
    for _ in range(DEEP):
        effect = effect.context("here")
    assert ContextError("no", ("here",) * DEEP) == run(effect).failure()
