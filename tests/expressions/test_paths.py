from __future__ import annotations

from typing import Any

import pytest

from anabranch.expressions import MISSING, FieldPath, parse_path
from anabranch.values import ConfigError

ITEM: dict[str, Any] = {
    "a": {"b": [{"c": 1}, 2], "odd key": 3, "it's": 4},
    "0": "zero",
    "n": None,
    "-x": 5,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b[0].c", 1),
        ("$.a.b[-1]", 2),
        ("_.a.b[1]", 2),
        ("item.a.b[-2].c", 1),
        ("a['odd key']", 3),
        ('a."odd key"', 3),
        ("$['a']['it''s']", 4),
        (" a.'it''s' ", 4),
        ("$['0']", "zero"),
        ("0", "zero"),
        ("n", None),
        ("-x", 5),
        ("$", ITEM),
        ("_", ITEM),
        ("item", ITEM),
        ("a.b[2]", MISSING),
        ("a.b[-3]", MISSING),
        ("a.b.c", MISSING),
        ("a[0]", MISSING),
        ("n.x", MISSING),
        ("x", MISSING),
        ("$['0'][0]", MISSING),
    ],
)
def test_a_path_leads_to_a_value_or_to_nothing(text: str, expected: Any) -> None:
    assert expected == parse_path(text).get(ITEM)


def test_item_alone_is_the_item_unless_it_has_a_field_of_that_name() -> None:
    path = parse_path("item")
    assert ["x", {"a": 1}, "apple"] == [
        path.get("x"),
        path.get({"a": 1}),
        path.get({"item": "apple"}),
    ]


def test_ways_to_write_the_item_itself_are_one_path() -> None:
    assert parse_path("$.a") == parse_path("_.a") == parse_path("a") == FieldPath(("a",))


@pytest.mark.parametrize(
    ("text", "column"),
    [("", 1), ("a.", 2), ("a..b", 2), ("a[", 2), ("a[x]", 2), ("a['b'", 2), ("a b", 2), (".a", 1)],
)
def test_what_is_no_path_is_refused_where_it_stops_being_one(text: str, column: int) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_path(text)
    assert (1, column) == (
        caught.value.problems[0].where.line,
        caught.value.problems[0].where.column,
    )
