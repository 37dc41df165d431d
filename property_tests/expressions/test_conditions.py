from __future__ import annotations

import operator
import pickle
import re
from collections.abc import Callable
from typing import Any, Final, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anabranch.expressions import MISSING, Condition, FieldPath, parse_condition, parse_path
from anabranch.expressions.tree import (
    And,
    Call,
    Compare,
    Comparison,
    Exists,
    Length,
    Literal,
    Membership,
    Node,
    Not,
    Operand,
    Or,
    Truthy,
)
from anabranch.testing.strategies.expressions import condition_trees, conditions, field_paths
from anabranch.testing.strategies.values import json_items, json_values, texts
from anabranch.values import ConfigError, Json

anything = st.one_of(json_items(), json_items(), json_values())


@given(conditions())
def test_the_text_of_a_condition_parses_to_the_same_tree(condition: Condition) -> None:
    assert condition == parse_condition(str(condition))


@given(field_paths())
def test_the_text_of_a_path_parses_to_the_same_path(path: FieldPath) -> None:
    assert path == parse_path(str(path))


# --- a second implementation, straight from the rules -------------------------------------------

Follow = Callable[[FieldPath, Any], Any]


def in_item(path: FieldPath, item: Any) -> Any:
    if path == FieldPath((), root="item") and isinstance(item, dict) and "item" in item:
        return cast("Any", item)["item"]
    return in_scope(FieldPath(path.keys), item)


def in_scope(path: FieldPath, item: Any) -> Any:
    for key in path.names:
        fits = isinstance(item, dict if isinstance(key, str) else list | tuple)
        try:
            item = item[key] if fits else MISSING
        except (KeyError, IndexError):
            return MISSING
    return item


def normal(value: Any) -> Any:
    """A form that Python compares as JSON does."""
    match kind(value), value:
        case "object", _:
            return ("object", {key: normal(inner) for key, inner in value.items()})
        case "array", _:
            return ("array", [normal(inner) for inner in value])
        case found:
            return ("null",) if found[0] == "null" else found


def same(left: Any, right: Any) -> bool:
    return bool(normal(left) == normal(right))


def kind(value: Any) -> str:
    for name, types in KINDS.items():
        if isinstance(value, types):
            return name
    return "null"


KINDS: Final[dict[str, Any]] = {
    "bool": bool,
    "number": int | float,
    "string": str,
    "object": dict,
    "array": (list, tuple),
}
ORDER: Final[dict[Comparison, Callable[[Any, Any], bool]]] = {
    Comparison.LT: operator.lt,
    Comparison.LE: operator.le,
    Comparison.GT: operator.gt,
    Comparison.GE: operator.ge,
}


def measured(value: Any) -> int | None:
    return len(value) if kind(value) in {"string", "object", "array"} else None


def contained(value: Any, part: Any) -> bool:
    if kind(value) == "array":
        return any(same(element, part) for element in value)
    if kind(value) == "string" and kind(part) in {"bool", "number"}:
        return str(part).lower() in value
    return kind(value) == kind(part) == "string" and part in value


CALLS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "is_null": lambda value, _: kind(value) == "null",
    "is_not_null": lambda value, _: kind(value) != "null",
    **{
        f"is_{name}": lambda value, _, name=name: kind(value) == name  # type: ignore[misc]
        for name in KINDS
    },
    "starts_with": lambda value, text: kind(value) == "string" and value.startswith(text),
    "ends_with": lambda value, text: kind(value) == "string" and value.endswith(text),
    "matches": lambda value, text: kind(value) == "string" and re.search(text, value) is not None,
    "length": lambda value, size: measured(value) == size,
    "contains": contained,
}


def value_of(operand: Operand, item: Any, follow: Follow) -> Any:
    match operand:
        case FieldPath():
            return follow(operand, item)
        case Literal(value):
            return value
        case Length(path):
            return measured(follow(path, item))
        case Exists(path):
            return follow(path, item) is not MISSING


def truth(node: Node, item: Any, follow: Follow) -> bool:
    match node:
        case And(operands):
            return all(truth(operand, item, follow) for operand in operands)
        case Or(operands):
            return any(truth(operand, item, follow) for operand in operands)
        case Not(operand):
            return not truth(operand, item, follow)
        case Truthy(operand):
            value = value_of(operand, item, follow)
            return value not in (MISSING, "false", "0") and bool(value)
        case _:
            return predicate(node, item, follow)


def predicate(node: Compare | Membership | Call, item: Any, follow: Follow) -> bool:
    match node:
        case Compare(left, op, right):
            return compare(value_of(left, item, follow), op, value_of(right, item, follow))
        case Membership(left, right):
            value, options = value_of(left, item, follow), value_of(right, item, follow)
            known = value is not MISSING and kind(options) == "array"
            return known and any(same(value, option) for option in options)
        case Call(name, arguments):
            first, second = (*(value_of(each, item, follow) for each in arguments), None)[:2]
            return CALLS[name](first, second)


def compare(left: Any, op: Comparison, right: Any) -> bool:
    if op in {Comparison.EQ, Comparison.NE}:
        return same(left, right) is (op is Comparison.EQ)
    kinds = {kind(left), kind(right)}
    return kinds in ({"number"}, {"string"}) and ORDER[op](left, right)


@given(condition_trees(), anything)
def test_a_compiled_condition_agrees_with_the_rules_read_literally(root: Node, item: Json) -> None:
    assert truth(root, item, in_item) is Condition(root).matches(item)


class NotQuiteDict(dict[str, Json]):
    """A mapping that the fast way does not recognise."""


@given(conditions(), json_items())
def test_the_fast_way_for_dictionaries_agrees_with_the_general_one(
    condition: Condition, item: dict[str, Json]
) -> None:
    assert condition.matches(NotQuiteDict(item)) is condition.matches(item)


def plain(value: Json) -> Json:
    """The value without names that hold dots and without texts that are JSON."""
    match value:
        case str():
            return value.replace("{", "x").replace("[", "x")
        case dict():
            return {name.replace(".", "x"): plain(inner) for name, inner in value.items()}
        case list():
            return list(map(plain, value))
        case _:
            return value


@given(condition_trees(), json_items())
def test_a_condition_holds_in_a_scope_as_it_matches_an_item(
    root: Node, item: dict[str, Json]
) -> None:
    scope = plain(item)
    assert isinstance(scope, dict)
    assert truth(root, scope, in_scope) is Condition(root).holds(scope)


@given(conditions(), anything)
def test_a_condition_survives_pickling(condition: Condition, item: Json) -> None:
    expected = condition.matches(item)
    copy = pickle.loads(pickle.dumps(condition))
    assert (condition, expected) == (copy, copy.matches(item))


fragments = st.sampled_from(
    ["a", ".b", "[0]", "[", "]", "(", ")", "!", "not ", " and ", " || ", "==", " = ", "<", "in ",
     "'", '"', "'x'", "5", "null", ",", "${", "}", "matches(", "length(", "$", "&", " ", "\n", "é"]
)  # fmt: skip


@given(st.one_of(texts(), st.lists(fragments, max_size=12).map("".join)), json_items())
def test_any_text_is_a_condition_or_a_list_of_problems_with_places(text: str, item: Json) -> None:
    try:
        condition = parse_condition(text)
    except ConfigError as error:
        lines = text.split("\n")
        for problem in error.problems:
            assert problem.where.line is not None
            assert problem.where.column is not None
            assert 1 <= problem.where.line <= len(lines)
            assert 1 <= problem.where.column <= len(lines[problem.where.line - 1]) + 1
    else:
        assert condition == parse_condition(str(condition))
        assert isinstance(condition.matches(item), bool)


@given(st.lists(conditions(), min_size=2, max_size=4))
def test_every_broken_part_of_a_condition_is_reported(found: list[Condition]) -> None:
    text = " && ".join(f"({condition}) && nonsense(a) && a ==" for condition in found)
    with pytest.raises(ConfigError) as caught:
        parse_condition(text)
    codes = [problem.code for problem in caught.value.problems]
    assert ["unknown-function", "missing-operand"] * len(found) == codes
