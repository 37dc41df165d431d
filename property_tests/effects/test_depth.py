"""Looking at a very deep effect needs no more Python stack than at a shallow one."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from operator import neg

import pytest
from returns.result import Success

from anabranch import Effect, fail, par_all, par_all_limit, par_graph, race, run, succeed

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
