"""The edges of the language, a row for each: types, missing fields, precedence, quoting, filters."""

from __future__ import annotations

from typing import Any

import pytest

from anabranch.expressions import parse_condition, parse_template

CONDITIONS: list[tuple[str, Any, bool]] = [
    ("a = 5", {"a": 5}, True),
    ("a == 5.0", {"a": 5}, True),
    ("a == '5'", {"a": 5}, False),
    ("a != '5'", {"a": 5}, True),
    ("a < '6'", {"a": 5}, False),
    ("a >= '4'", {"a": 5}, False),
    ("a == true", {"a": 1}, False),
    ("a != true", {"a": 1}, True),
    ("a == false", {"a": 0}, False),
    ("a > false", {"a": 1}, False),
    ("a == null", {}, True),
    ("a != null", {}, False),
    ("a != null", {"a": 0}, True),
    ("a != 1", {}, True),
    ("a <= 1", {}, False),
    ("a >= null", {}, False),
    ("a == null", {"a": None}, True),
    ("a != 'x'", {"a": None}, True),
    ("is_null(a.b.c)", {"a": 1}, True),
    ("is_not_null(a)", {}, False),
    ("a[-1] == 3", {"a": [1, 2, 3]}, True),
    ("a[-4] == null", {"a": [1, 2, 3]}, True),
    ("a[3] != 1", {"a": [1, 2, 3]}, True),
    ("a[-1].b == 2", {"a": [{"b": 1}, {"b": 2}]}, True),
    ("a['x y'] == 1", {"a": {"x y": 1}}, True),
    ('a["x.y"].z == 1', {"a": {"x.y": {"z": 1}}}, True),
    ("a.'x y' == 1", {"a": {"x y": 1}}, True),
    ("a == 1 AND b == 2 Or b == 3", {"a": 1, "b": 2}, True),
    ("Not a IN [1, 2]", {"a": 3}, True),
    ("a NOT IN [1,2]", {"a": 1}, False),
    ("a Matches '^x'", {"a": "xy"}, True),
    ("!a == 1 || b == 1", {"a": 1, "b": 1}, True),
    ("!(a == 1 || b == 1)", {"a": 1, "b": 0}, False),
    ("!contains(a, x) && b == 1", {"a": "y", "b": 1}, True),
    ("not a == 1 and b == 1", {"a": 1, "b": 1}, False),
    ("a == 1 || b == 1 && c == 1", {"a": 1, "b": 0, "c": 0}, True),
    ("(a == 1 || b == 1) && c == 1", {"a": 1, "b": 0, "c": 0}, False),
    ("'Z' < 'a'", {}, True),
    ("a < b", {"a": "a"}, True),
    ("a > Z", {"a": "a"}, True),
    ("a > '\uffff'", {"a": "\U00010000"}, True),
    ("item.a == 1", {"a": 1}, True),
    ("$.a == 1", {"a": 1}, True),
    ("_.a == 1", {"a": 1}, True),
    ("_ == 5", 5, True),
    ("$ > 4", 5, True),
    ("item[0] == 1", [1], True),
    ("a == [1, 2]", {"a": [1.0, 2]}, True),
    ("a in [1.0]", {"a": 1}, True),
    ("a in ['1']", {"a": 1}, False),
    ("a in []", {"a": 1}, False),
    ("a == -5", {"a": -5}, True),
    ("a == 1e2", {"a": 100}, True),
    ("a > 1.5", {"a": 2}, True),
    ("contains(a, 2)", {"a": [1, 2]}, True),
    ("contains(a, '2')", {"a": [1, 2]}, False),
    ("starts_with(a, 'x')", {"a": None}, False),
    ("ends_with(a,y)", {"a": "xy"}, True),
    ("length(a) > 1", {"a": [1, 2]}, True),
    ("length(a) == 2", {"a": "\xe9\U0001f600"}, True),
    ("length(a) == 2", {"a": {"x": 1, "y": 2}}, True),
    ("length(a) == 0", {}, False),
    ("length(a) == 0", {"a": ""}, True),
    ("is_number(a)", {"a": True}, False),
    ("is_bool(a)", {"a": False}, True),
    ("is_string(a)", {"a": ""}, True),
    ("is_array(a)", {"a": []}, True),
    ("is_object(a)", {"a": {}}, True),
    ("is_object(a)", {"a": []}, False),
    ("matches(a, 'b')", {"a": "abc"}, True),
    ("a matches '^b'", {"a": "abc"}, False),
    ("a not matches '^b'", {"a": "abc"}, True),
    ("a == 9007199254740993", {"a": 9007199254740992}, False),
    ("a == null && b == 1", {"b": 1}, True),
    ("a == x-y.z", {"a": "x-y.z"}, True),
    ("!!a == 1", {"a": 1}, True),
    ("NOT (NOT a == 1)", {"a": 1}, True),
    ("a==1&&b!=2", {"a": 1, "b": 1}, True),
]


@pytest.mark.parametrize(("text", "item", "expected"), CONDITIONS)
def test_a_condition_of_an_item_has_one_answer(text: str, item: Any, expected: bool) -> None:
    assert expected is parse_condition(text).matches(item)


SCOPE: dict[str, Any] = {
    "item": {
        "path": "a.md",
        "n": 3.0,
        "l": [1, "b", True],
        "o": {"k": None},
        "none": None,
        "t": True,
    },
    "step": {"files_added": ["x/a.md", "b.py", "c.md"]},
    "v": "${item.path}",
}

TEMPLATES = [
    ("$${item.path}", "${item.path}"),
    ("${HOME} ${item.path}", "${HOME} a.md"),
    ("${item.zz:-d}", "d"),
    ("${item.none}", ""),
    ("${item.n}|${item.t}", "3|true"),
    ("${item.l}", "1, b, true"),
    ("${item.o}", '{"k":null}'),
    ("${v}", "${item.path}"),
    ("a ${v}", "a ${item.path}"),
    ("${step.files_added:*.md:lines}", "x/a.md\nc.md"),
    ("${step.files_added:*.md:csv}", "x/a.md,c.md"),
    ("${step.files_added:*.md:json}", '["x/a.md","c.md"]'),
    ("${step.files_added:*.md:x/*}", "x/a.md"),
    ("${step.files_added}", "x/a.md b.py c.md"),
    ("{{item.path}}", "a.md"),
    ("{{ item.path }}", "a.md"),
    ("${ item.path }", "a.md"),
    ("${item.l[-1]}", "true"),
    ("${item['path']}", "a.md"),
    ("${item.l[0]}${item.l[1]}", "1b"),
    ("$1 $2 $@ $? $$", "$1 $2 $@ $? $$"),
    ("awk '{print $2}'", "awk '{print $2}'"),
    ("${step.files_added:*.zz}", ""),
    ("${item.path:json}", '"a.md"'),
    ("${item.l:json}", '[1,"b",true]'),
    ("${item.zz:-${item.path}}", "a.md"),
    ("${item.zz:-a:b}", "a:b"),
    ("{{ item.zz:-d }}", "d"),
    ("${item.l[9]:-d}", "d"),
    ("{{ HOME }}", "{{ HOME }}"),
]


@pytest.mark.parametrize(("text", "expected"), TEMPLATES)
def test_a_template_of_a_command_has_one_text(text: str, expected: str) -> None:
    assert expected == parse_template(text, shell=True).render(SCOPE)
