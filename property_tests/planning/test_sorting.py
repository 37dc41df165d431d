from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cmp_to_key
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from anabranch.expressions import MISSING
from anabranch.planning.json_order import identity_key
from anabranch.planning.sorting import SortKey, parse_sort, sort_items
from anabranch.testing.strategies.planning import sort_keys
from anabranch.testing.strategies.values import json_items, json_values
from anabranch.values import Json

KINDS: list[type] = [bool, float, str, list, dict]


def three_way(a: Any, b: Any) -> int:
    return int(a > b) - int(a < b)


def kind(value: object) -> int:
    number = isinstance(value, int) and not isinstance(value, bool)
    return KINDS.index(float if number else type(value))


def compare_values(a: Any, b: Any) -> int:
    if kind(a) != kind(b):
        return three_way(kind(a), kind(b))
    return three_way(len(a), len(b)) if KINDS[kind(a)] in (list, dict) else three_way(a, b)


def compare(a: Json, b: Json, key: SortKey) -> int:
    left, right = key.path.get(a), key.path.get(b)
    absent = [value is None or value is MISSING for value in (left, right)]
    if any(absent):
        return three_way(*absent) * (-1 if key.nulls_first else 1)
    return compare_values(left, right) * (-1 if key.descending else 1)


def compare_all(a: Json, b: Json, keys: list[SortKey]) -> int:
    return next((order for key in keys if (order := compare(a, b, key))), 0)


orders = st.lists(sort_keys(), max_size=3)
rows = st.lists(json_items() | json_values(max_leaves=3), max_size=8)


@given(rows, orders)
def test_sorting_agrees_with_a_stable_sort_by_comparison(
    items: list[Json], keys: list[SortKey]
) -> None:
    def by_keys(a: Json, b: Json) -> int:
        return compare_all(a, b, keys)

    expected = sorted(items, key=cmp_to_key(by_keys))
    assert list(map(id, expected)) == list(map(id, sort_items(items, keys)))


@given(rows, orders)
def test_sorting_twice_is_sorting_once(items: list[Json], keys: list[SortKey]) -> None:
    once = sort_items(items, keys)
    assert list(map(id, once)) == list(map(id, sort_items(once, keys)))


@given(st.lists(sort_keys(), min_size=1, max_size=3))
def test_an_order_is_the_text_it_prints(keys: list[SortKey]) -> None:
    assert tuple(keys) == parse_sort(", ".join(map(str, keys)))


def same(a: Json, b: Json) -> bool:
    match a, b:
        case (bool(), _) | (_, bool()):
            return a is b
        case Mapping(), Mapping():
            return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
        case (str() | int() | float() | None, _) | (_, str() | int() | float() | None):
            return a == b
        case Sequence(), Sequence():
            return len(a) == len(b) and all(map(same, a, b))
        case _:
            return False


@given(json_values(max_leaves=4), json_values(max_leaves=4))
def test_two_values_have_one_identity_exactly_if_they_are_the_same_json(a: Json, b: Json) -> None:
    assert same(a, b) is (identity_key(a) == identity_key(b))
    assert identity_key(a) == identity_key(a)
