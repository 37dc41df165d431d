from __future__ import annotations

import statistics
from collections.abc import Sequence
from fractions import Fraction
from math import isclose
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from anabranch.planning.aggregation import AggregateKind, Aggregation, aggregate
from anabranch.planning.monoids import Monoid
from anabranch.testing.strategies.planning import aggregations
from anabranch.testing.strategies.values import json_items, json_values, numbers, texts
from anabranch.values import Json, RunError

candidates: st.SearchStrategy[Sequence[Json]] = st.one_of(
    st.lists(numbers(), max_size=8),
    st.lists(texts(), max_size=8),
    st.lists(json_items(), max_size=8),
    st.lists(st.lists(json_values(max_leaves=3), max_size=3), max_size=8),
)


def accepted(monoid: Monoid[Any], values: Sequence[Json]) -> list[Json]:
    return [value for value in values if monoid.accepts(value)]


@given(aggregations(), candidates, st.integers(0, 8), st.integers(0, 8))
def test_combining_is_associative_exactly(
    aggregation: Aggregation, values: Sequence[Json], one: int, other: int
) -> None:
    monoid = aggregation.monoid
    kept, first, last = accepted(monoid, values), min(one, other), max(one, other)
    a, b, c = map(monoid.fold, (kept[:first], kept[first:last], kept[last:]))
    left = monoid.combine(monoid.combine(a, b), c)
    right = monoid.combine(a, monoid.combine(b, c))
    assert left == right
    assert repr(monoid.finish(left)) == repr(monoid.finish(right))


@given(aggregations(), candidates)
def test_the_empty_state_changes_nothing(aggregation: Aggregation, values: Sequence[Json]) -> None:
    monoid = aggregation.monoid
    state = monoid.fold(accepted(monoid, values))
    assert state == monoid.combine(monoid.empty, state) == monoid.combine(state, monoid.empty)


@given(aggregations(), candidates)
def test_folding_in_any_grouping_is_folding_from_the_left(
    aggregation: Aggregation, values: Sequence[Json]
) -> None:
    monoid = aggregation.monoid
    state = monoid.empty
    for value in accepted(monoid, values):
        state = monoid.combine(state, monoid.lift(value))
    assert state == monoid.fold(accepted(monoid, values))


@given(aggregations(), st.lists(json_items() | json_values(max_leaves=2), max_size=8))
def test_results_have_an_answer_or_every_misfit_is_named_once(
    aggregation: Aggregation, values: Sequence[Json]
) -> None:
    results = [(f"agent-{n}", value) for n, value in enumerate(values)]
    try:
        aggregate(aggregation, results)
    except RunError as error:
        named = [(problem.where.path or "").partition(".")[0] for problem in error.problems]
        rest = [(agent, value) for agent, value in results if agent not in named]
    else:
        named, rest = [], results
    assert len(named) == len(set(named))
    aggregate(aggregation, rest)


floats = st.lists(numbers().map(float).filter(lambda x: abs(x) < 1e100), min_size=1, max_size=20)


@given(floats)
def test_statistics_are_those_of_the_standard_library(values: list[float]) -> None:
    results = [("agent", value) for value in values]
    exact = list(map(Fraction, values))
    answers = {k: aggregate(Aggregation(kind=k), results) for k in
               (AggregateKind.AVERAGE, AggregateKind.MEDIAN, AggregateKind.VARIANCE)}  # fmt: skip
    assert float(statistics.mean(exact)) == answers[AggregateKind.AVERAGE]
    assert float(statistics.median(exact)) == answers[AggregateKind.MEDIAN]
    assert float(statistics.pvariance(exact)) == answers[AggregateKind.VARIANCE]


@given(floats)
def test_the_standard_deviation_is_right_to_the_last_digits(values: list[float]) -> None:
    answer: Any = aggregate(Aggregation(kind=AggregateKind.STD_DEV), [("a", v) for v in values])
    variance = statistics.pvariance(map(Fraction, values))
    assert isclose(Fraction(answer) ** 2, variance, rel_tol=1e-15, abs_tol=1e-320)


@given(st.lists(numbers(), max_size=12), st.randoms(use_true_random=False))
def test_numbers_may_come_in_any_order(values: list[float], random: Any) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    for kind in (AggregateKind.SUM, AggregateKind.AVERAGE, AggregateKind.VARIANCE):
        aggregation = Aggregation(kind=kind)
        first = aggregate(aggregation, [("a", value) for value in values])
        assert first == aggregate(aggregation, [("a", value) for value in shuffled])
