from __future__ import annotations

import pytest

from anabranch.planning.json_order import identity_key
from anabranch.planning.sorting import parse_sort, sort_items
from anabranch.values import ConfigError, Json
from tests.cases import Case, table


@pytest.mark.parametrize("case", table("sort"))
def test_items_are_sorted_as_the_table_says(case: Case) -> None:
    if "error" in case.expected:
        with pytest.raises(ConfigError):
            parse_sort(case.given["s"])
    else:
        assert case.expected["r"] == sort_items(case.given["items"], parse_sort(case.given["s"]))


def test_equal_values_keep_their_order_also_when_descending() -> None:
    items: list[Json] = [{"n": 1, "id": i} for i in range(5)]
    assert items == sort_items(items, parse_sort("n DESC"))


def test_absent_values_keep_their_place_whatever_the_direction() -> None:
    items: list[Json] = [{"n": 1}, {"n": None}, {"n": 2}]
    assert [{"n": None}, {"n": 2}, {"n": 1}] == sort_items(items, parse_sort("n DESC NULLS FIRST"))
    assert [{"n": 1}, {"n": 2}, {"n": None}] == sort_items(items, parse_sort("n ASC NULLS LAST"))


def test_a_float_that_is_no_number_comes_after_all_numbers() -> None:
    items: list[Json] = [float("nan"), 3, float("inf"), float("nan"), -1.5, 10**400]
    assert "[-1.5, 3, 10, inf, nan, nan]" == str(
        [10 if item == 10**400 else item for item in sort_items(items, parse_sort("$"))]
    )


def test_fields_may_be_quoted_and_hold_commas_and_spaces() -> None:
    keys = parse_sort("""$['a, b'] DESC, c."x y" nulls first""")
    assert [("a, b",), ("c", "x y")] == [key.path.keys for key in keys]
    assert [(True, False), (False, True)] == [(k.descending, k.nulls_first) for k in keys]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", [1]),
        ("a,", [3]),
        ("a,,b", [3]),
        ("a DSC", [3]),
        ("a DESCNULLS FIRST", [3]),
        ("a b c, d, e..f, g NULLS", [3, 12, 19]),
    ],
)
def test_every_mistake_in_a_sort_is_reported_with_its_column(text: str, columns: list[int]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_sort(text)
    assert columns == [problem.where.column for problem in caught.value.problems]


def test_a_misspelt_order_gets_a_hint() -> None:
    with pytest.raises(ConfigError, match="did you mean `DESC`"):
        parse_sort("score DSC")


def test_values_of_any_depth_are_told_apart() -> None:
    def nested(inner: Json) -> Json:
        value = inner
        for _ in range(50_000):
            value = {"a": [value]}
        return value

    assert identity_key(nested(1)) == identity_key(nested(1.0))
    assert identity_key(nested(1)) != identity_key(nested(True))
    assert identity_key([[1], 2]) != identity_key([[1, 2]])
