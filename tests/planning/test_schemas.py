from __future__ import annotations

from typing import Any

import pytest

from anabranch.planning.schemas import Doubt, schema_differences

NAMED = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


@pytest.mark.parametrize(
    ("gives", "takes"),
    [
        ({}, {}),
        ({"type": "string"}, {}),
        ({"type": "integer"}, {"type": "number"}),
        ({"type": "string"}, {"type": ["string", "null"]}),
        (NAMED, NAMED),
        (NAMED, {"type": "object"}),
        ({"enum": [1, 2]}, {"enum": [1.0, 2, 3]}),
        ({"type": "array", "items": NAMED}, {"items": NAMED}),
    ],
)
def test_what_always_fits_has_no_difference(gives: dict[str, Any], takes: dict[str, Any]) -> None:
    assert [] == list(schema_differences(gives, takes))


@pytest.mark.parametrize(
    ("gives", "takes", "path"),
    [
        ({"type": "string"}, {"type": "integer"}, "$"),
        ({"type": ["string", "null"]}, {"type": ["object", "array"]}, "$"),
        ({"type": "object", "properties": {"id": {}}}, NAMED, "$.name"),
        ({"properties": {"name": {"type": "null"}}, "required": ["name"], "type": "object"}, NAMED, "$.name"),
        ({"type": "array", "items": {"type": "null"}}, {"items": {"type": "string"}}, "$[]"),
        ({"enum": [1]}, {"enum": [True]}, "$"),
    ],
)  # fmt: skip
def test_what_never_fits_is_a_mismatch(
    gives: dict[str, Any], takes: dict[str, Any], path: str
) -> None:
    assert [(Doubt.MISMATCH, path)] == [(d.doubt, d.path) for d in schema_differences(gives, takes)]


@pytest.mark.parametrize(
    ("gives", "takes", "path"),
    [
        ({}, {"type": "string"}, "$"),
        ({"type": "number"}, {"type": "integer"}, "$"),
        ({"type": "object"}, NAMED, "$.name"),
        ({"type": "object", "properties": NAMED["properties"]}, NAMED, "$.name"),
        ({"enum": [1, 2]}, {"enum": [1]}, "$"),
        ({"type": "string"}, {"enum": ["a"]}, "$"),
    ],
)
def test_what_may_not_fit_is_not_promised(
    gives: dict[str, Any], takes: dict[str, Any], path: str
) -> None:
    found = [(d.doubt, d.path) for d in schema_differences(gives, takes)]
    assert [(Doubt.NOT_PROMISED, path)] == found


def test_schemas_nested_very_deep_need_no_deep_stack() -> None:
    gives: dict[str, Any] = {"type": "string"}
    takes: dict[str, Any] = {"type": "null"}
    for _ in range(3000):
        gives, takes = {"items": gives}, {"items": takes}
    (difference,) = schema_differences(gives, takes)
    assert "$" + "[]" * 3000 == difference.path
