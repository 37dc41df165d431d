from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from anabranch.planning import monoids
from anabranch.planning.aggregation import AggregateKind, Aggregation, aggregate
from anabranch.planning.monoids import Moments, Monoid, sorting_monoid
from anabranch.planning.sorting import parse_sort
from anabranch.values import ConfigError, Json, RunError
from tests.cases import Case, table


def states(kind: str, vs: list[Any]) -> tuple[Monoid[Any], list[Any]]:
    """The rows hold states: a count, `[sum, count]`, the values so far."""
    match kind:
        case "count":
            return monoids.COUNT, vs
        case "average":
            return monoids.AVERAGE, [Moments(n, Fraction(total)) for total, n in vs]
        case "sort":
            order = "$ DESC" if vs[0][1] else "$"
            return sorting_monoid(parse_sort(order)), [tuple(values) for values, _ in vs]
        case "collect" | "median" | "flatten":
            return monoid_of(kind), [tuple(values) for values in vs]
        case "stddev" | "variance" | "unique":
            return monoid_of(kind), [monoid_of(kind).fold(values) for values in vs]
        case _:
            return monoid_of(kind), [monoid_of(kind).lift(value) for value in vs]


def monoid_of(kind: str) -> Monoid[Any]:
    return Aggregation(kind=AggregateKind("std_dev" if kind == "stddev" else kind)).monoid


@pytest.mark.parametrize("case", table("aggregate"))
def test_states_combine_to_the_answers_of_the_table(case: Case) -> None:
    monoid, parts = states(case.given["t"], case.given["vs"])
    state = monoid.empty
    for part in parts:
        state = monoid.combine(state, part)
    assert case.expected["r"] == monoid.finish(state)


def results(*values: Json) -> list[tuple[str, Json]]:
    return [(f"agent-{n}", value) for n, value in enumerate(values)]


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("count", [1, None, "x"], 2),
        ("sum", [1, 2], 3),
        ("sum", [0.1] * 10, 1.0),
        ("sum", [1e16, 1.0, -1e16], 1.0),
        ("min", [2, 1.5, 3], 1.5),
        ("max", ["b", "é", "a"], "é"),
        ("average", [1, 2], 1.5),
        ("median", [4, 1, 3, 2], 2.5),
        ("variance", [1e9 + 1, 1e9 + 3], 1.0),
        ("std_dev", [2, 4, 4, 4, 5, 5, 7, 9], 2.0),
        ("collect", [1, None, "x"], [1, None, "x"]),
        ("unique", [1, True, 1.0, "1", True], [1, True, "1"]),
        ("concat", ["a", "", "b"], "ab"),
        ("merge", [{"a": 1}, {"a": 2, "b": 3}], {"a": 1, "b": 3}),
        ("flatten", [[1, [2]], [], [3]], [1, [2], 3]),
        ("sort", ["b", 2, "a", None, 1], [1, 2, "a", "b", None]),
    ],
)
def test_results_become_one_answer(kind: str, values: list[Json], expected: Json) -> None:
    answer = aggregate(Aggregation(kind=AggregateKind(kind)), results(*values))
    assert (expected, type(expected)) == (answer, type(answer))


NOTHING: dict[str, Json] = {
    "count": 0,
    "sum": 0,
    "min": None,
    "average": None,
    "median": None,
    "std_dev": None,
    "collect": [],
    "concat": "",
    "merge": {},
    "flatten": [],
}


@pytest.mark.parametrize(("kind", "expected"), NOTHING.items())
def test_of_no_results_there_is_an_answer_too(kind: str, expected: Json) -> None:
    assert expected == aggregate(Aggregation(kind=AggregateKind(kind)), [])


def test_values_are_grouped_by_the_text_of_a_field() -> None:
    values: list[Json] = [{"k": "x", "n": 1}, {"k": 2}, {"n": 3}, {"k": "x", "n": 4}, {"k": None}]
    answer = aggregate(Aggregation(kind=AggregateKind.GROUP_BY, by="k"), results(*values))
    assert {
        "x": [{"k": "x", "n": 1}, {"k": "x", "n": 4}],
        "2": [{"k": 2}],
        "null": [{"n": 3}, {"k": None}],
    } == answer


def test_values_are_sorted_by_the_order_they_were_given() -> None:
    aggregation = Aggregation(kind=AggregateKind.SORT, path="best", order="n DESC")
    answer = aggregate(aggregation, results(*({"best": {"n": n}} for n in (1, 3, 2))))
    assert [{"n": 3}, {"n": 2}, {"n": 1}] == answer


def test_every_mismatch_is_reported_with_agent_and_path() -> None:
    values: list[Json] = [{"n": 1}, {"n": "2"}, {}, {"n": True}, {"n": float("nan")}]
    with pytest.raises(RunError) as caught:
        aggregate(Aggregation(kind=AggregateKind.SUM, path="n"), results(*values))
    assert [
        ("agent-1.n", "'2'"),
        ("agent-2.n", None),
        ("agent-3.n", "True"),
        ("agent-4.n", "nan"),
    ] == [(problem.where.path, problem.value) for problem in caught.value.problems]


def test_numbers_and_texts_have_no_common_smallest() -> None:
    with pytest.raises(RunError, match=r"agent-1: of another kind than the first: 'a'"):
        aggregate(Aggregation(kind=AggregateKind.MIN), results(1, "a", 2))


def test_a_result_that_lacks_the_field_is_not_counted() -> None:
    aggregation = Aggregation(kind=AggregateKind.COUNT, path="n")
    assert 1 == aggregate(aggregation, results({"n": 0}, {}, {"n": None}))


def test_numbers_beyond_all_floats_have_answers() -> None:
    huge = 1.7e308
    aggregation = Aggregation(kind=AggregateKind.SUM)
    assert 2 * int(huge) == aggregate(aggregation, results(huge, huge))
    spread = aggregate(Aggregation(kind=AggregateKind.STD_DEV), results(huge, -huge))
    assert huge == pytest.approx(spread)


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"kind": AggregateKind.GROUP_BY}, ["by"]),
        ({"kind": AggregateKind.SUM, "by": "k", "order": "n"}, ["by", "order"]),
        ({"kind": AggregateKind.SORT, "path": "a..b", "order": "n UP"}, ["path", "order"]),
    ],
)
def test_settings_that_do_not_fit_are_refused_all_at_once(
    settings: dict[str, Any], names: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        Aggregation(**settings)
    assert names == [problem.where.path for problem in caught.value.problems]
