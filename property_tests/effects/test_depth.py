"""Looking at a very deep effect needs no more Python stack than at a shallow one."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from operator import neg

import pytest
from returns.result import Success

from anabranch import Effect, fail, run, succeed

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
