from __future__ import annotations

from typing import Any

import pytest

from anabranch.expressions import parse_condition
from anabranch.values import ConfigError

ITEM: dict[str, Any] = {
    "name": "main.rs",
    "score": 7,
    "ratio": 7.0,
    "flag": True,
    "none": None,
    "tags": ["bug", 3],
    "deep": {"odd key": [{"x": 1}], "exists": False},
    "in": "field",
    "item": "inner",
}


@pytest.mark.parametrize(
    "text",
    [
        "score = 7",
        "score == 7.0",
        "ratio == 7",
        "7 == ${score}",
        "5 < ${score} && 5 < $.score",
        "NOT score > 7",
        "not flag == false AND name Matches '\\.rs$'",
        "!(score > 7 or flag = false)",
        "!!flag",
        "name in [main.rs, 'x']",
        "name not in ['x']",
        "name not matches '^x'",
        "score in [1, 7, null]",
        "none in [null]",
        "tags[-1] == 3",
        "tags[0] == bug",
        "length(tags) == 2",
        "length(tags, 2) && length(name) > length(tags)",
        "contains(tags, bug) and contains(tags, 3)",
        "contains(name, main) and starts_with(name, main.) and ends_with(name, rs)",
        "matches(name, ^main\\.rs$)",
        "deep.'odd key'[0].x == 1 && deep['odd key'][0]['x'] == 1",
        "deep['exists'] == false",
        "deep.exists",
        "!deep.nothing.exists",
        "$.score == 7 && _.score == 7 && item.score == 7 && ${score} == 7",
        "item == inner",
        "$['in'] == 'field'",
        "score == ${ratio} && score == _.ratio && $.score == item.ratio",
        "name == 'main.rs' && name == \"main.rs\"",
        "missing == null and is_null(missing) and is_null(none)",
        "missing != 5 and missing != 'x' and !(missing != null)",
        "is_number(score) && is_bool(flag) && !is_number(flag) && is_string(name)",
        "is_array(tags) && is_object(deep) && !is_array(name) && is_not_null(flag)",
        "score",
        "'x' == 'x' && 'a' < 'b' && null == null && true",
        "tags == ['bug', 3]",
        "contains('abc', b)",
        "name == 'main.rs'\n  && score > 1",
    ],
)
def test_a_condition_matches(text: str) -> None:
    assert parse_condition(text).matches(ITEM)


@pytest.mark.parametrize(
    "text",
    [
        "score == '7'",
        "flag == 1",
        "flag > 0",
        "name > 5",
        "name == main",
        "missing > 1",
        "missing < 1",
        "missing == 0",
        "missing in [null]",
        "none > 1",
        "none",
        "missing",
        "tags == ['bug']",
        "tags > 1",
        "contains(score, 7)",
        "length(score, 1)",
        "matches(score, 7)",
        "name in ${score}",
    ],
)
def test_a_condition_does_not_match(text: str) -> None:
    assert not parse_condition(text).matches(ITEM)


def test_and_binds_tighter_than_or() -> None:
    condition = parse_condition("a == 1 || b == 1 && c == 1")
    assert condition == parse_condition("a == 1 || (b == 1 && c == 1)")
    assert condition != parse_condition("(a == 1 || b == 1) && c == 1")


def test_not_negates_the_comparison_that_follows_and_no_more() -> None:
    assert parse_condition("!(a == 1) && b == 2") == parse_condition("! a == 1 && b == 2")


@pytest.mark.parametrize("item", [5, "x", None, [1], True])
def test_an_item_that_is_no_object_can_be_asked_for_itself(item: Any) -> None:
    assert parse_condition(f"item == {item!s}").matches(item) is isinstance(item, int | str) or item


def test_a_quote_inside_a_string_is_written_twice_and_a_backslash_is_a_backslash() -> None:
    assert parse_condition(r"a == 'it''s \n'").matches({"a": r"it's \n"})


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("${a.b} == 1", {"a.b": 1}),
        ("a.b == 1", {"a.b": 1, "a": {"b": 2}}),
        ("${a.b.c} == 1", {"a.b": {"c": 1}}),
        ("${a.b.d} == 1", {"a.b": {"c": 1}, "a": {"b": {"d": 1}}}),
        ("${r.n.m} > 1", {"r": '{"n": {"m": 2}}'}),
        ("${r[0].m} > 1", {"r": '[{"m": "2"}]', "x": 1}),
        ("${item.path} == 'x' && item.path == x", {"item": {"path": "x"}}),
        ("${v.exists} && !${w.exists}", {"v": None}),
        ("!${undefined} && ${undefined} == null && ${undefined} != 'a'", {}),
        ("${s}", {"s": "yes"}),
        (
            "!${zero} && !${no} && !${empty} && !${n}",
            {"zero": "0", "no": "false", "empty": "", "n": 0},
        ),
    ],
)
def test_a_condition_holds_in_a_scope(text: str, scope: dict[str, Any]) -> None:
    expected = "[0].m" not in text
    assert expected is parse_condition(text).holds(scope)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["1:1: the condition ends here"]),
        ("score >= 5 and", ["1:15: the condition ends here"]),
        ("field in value", ["1:10: the right side of `in` is no list: 'value'"]),
        ("size(a) > 1", ["1:1: unknown function: size"]),
        ("contain(a, b)", ["1:1: unknown function: contain"]),
        ("contains(a)", ["1:1: `contains` takes 2 arguments: 1"]),
        ("is_null(a, b) && is_null()", [
            "1:1: `is_null` takes 1 arguments: 2",
            "1:18: `is_null` takes 1 arguments: 0",
        ]),
        ("matches(a, '[')", ["1:1: not a regular expression: ["]),
        ("a & b", ["1:3: not an operator: &"]),
        ("a === b", ["1:3: not an operator: ==="]),
        ("a => b", ["1:3: not an operator: =>"]),
        ("a =~ 'b'", ["1:3: not an operator: =~"]),
        ("(a == 1", ["1:1: this parenthesis is never closed"]),
        ("a == 1)", ["1:7: unexpected text after the condition: )"]),
        ("a == 'b", ["1:6: this quote is never closed"]),
        ("a in ['b'", ["1:6: this list is never closed"]),
        ("a == b c", ["1:8: unexpected text after the condition: c"]),
        ("${a == 1", ["1:1: not a reference"]),
        ("length(a)", ["1:10: `length(path)` is a number"]),
        ("a not b", ["1:3: `not` stands after an operand"]),
        ("a == contains(b, c)", ["1:6: a function that is true or false"]),
        ("a == 1e999", ["1:6: too large a number: 1e999"]),
        ("a == " + "1" * 1001, ["1:6: a number of more than 1000 digits"]),
        ("a == 1 &&\n  b ==\n|| sise(c) && d = 'x", [
            "3:1: not a value: || sise(c) && d = 'x",
            "3:4: unknown function: sise",
            "3:19: this quote is never closed",
        ]),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_its_place(text: str, problems: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_condition(text)
    assert problems == [str(problem).split("\n")[0] for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("contain(a, b)", "did you mean `contains`?"),
        ("start_with(a, b)", "did you mean `starts_with`?"),
        ("a && b | c", "did you mean `||`?"),
        ("5 < score", "write `${score}` to mean the field"),
        ("a <> 1", "did you mean `!=`?"),
        ("a == 'it's'", "a quote inside is written twice"),
    ],
)
def test_a_mistake_comes_with_a_hint(text: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_condition(text)
    assert hint in [problem.hint for problem in caught.value.problems]


@pytest.mark.parametrize("text", ["(" * 500, "!" * 500 + "a", "(" * 500 + "a" + ")" * 500])
def test_nesting_without_reason_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_condition(text)
    assert "too-deep" in {problem.code for problem in caught.value.problems}


def test_a_text_that_is_code_is_a_value_like_any_other() -> None:
    name = "x') or __import__('os') or ('"
    condition = parse_condition("$['" + name.replace("'", "''") + "'] == 'x\"); exit(\"'")
    assert condition.matches({name: 'x"); exit("'})


def test_equality_of_values_nested_very_deeply_has_an_answer() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    assert parse_condition("a == ${b}").matches({"a": deep, "b": deep})
