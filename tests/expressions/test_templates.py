from __future__ import annotations

from collections import UserDict
from typing import Any

import pytest

from anabranch.expressions import parse_template
from anabranch.values import ConfigError

SCOPE: dict[str, Any] = {
    "item": {"path": "src/a b.py", "n": 3.0, "tags": ["x", 1, None], "rows": [["a"], {"k": 1.5}]},
    "step": {"files_added": ["docs/a.md", "b.py"], "commits": ["c1", "c2"]},
    "captured": '{"inner": {"list": [10, 20]}}',
    "build.exit_code": 0,
    "name": "Ann",
    "nothing": None,
    "empty": "",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${item.path}|{{ item.path }}|{{item.path}}|${ name }", "src/a b.py|src/a b.py|src/a b.py|Ann"),
        ("$name, ${name}s, $$name", "Ann, Anns, $Ann"),
        ("$other $1 awk '{print $2}' $", "$other $1 awk '{print $2}' $"),
        ("$${name} $$${name}", "${name} $${name}"),
        ("${item.n} ${item.tags} ${item.rows}", '3 x, 1,  [["a"],{"k":1.5}]'),
        ("${step.files_added} ${step.commits}", "docs/a.md b.py c1 c2"),
        ("${step.files_added:*.md}", "docs/a.md"),
        ("${step.files_added:*.md:json}", '["docs/a.md"]'),
        ("${step.files_added:lines}", "docs/a.md\nb.py"),
        ("${step.files_added:csv}", "docs/a.md,b.py"),
        ("${step.files_added:docs/*}", "docs/a.md"),
        ("${captured.inner.list[-1]}", "20"),
        ("${build.exit_code}", "0"),
        ("${nothing}|${nothing:-none}|${empty:-none}", "|none|"),
        ("${item.zz:-a ${name} b}", "a Ann b"),
        ('${item.zz:-{"k": 1}}', '{"k": 1}'),
        ("{{ item.zz:-none }}", "none"),
        ("${unknown:-600}", "600"),
        ("${}", "${}"),
        ("${item.path!}", "${item.path!}"),
        ("${name:0:2} ${name%n} ${#name}", "${name:0:2} ${name%n} ${#name}"),
        ("{{ not a path }} {{.Names}}", "{{ not a path }} {{.Names}}"),
    ],
)  # fmt: skip
def test_a_template_renders(text: str, expected: str) -> None:
    assert expected == parse_template(text).render(SCOPE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${item.path}", "src/a b.py"),
        ("$name ${name} ${HOME} ${EDITOR:-vi} {{ other }}", "$name Ann ${HOME} ${EDITOR:-vi} {{ other }}"),
        ("${EDITOR:-${name}}", "${EDITOR:-Ann}"),
        ("${unknown.path:-none}", "none"),
        ("${unknown.path}", "${unknown.path}"),
        ("$$${name}", "$$Ann"),
    ],
)  # fmt: skip
def test_in_a_command_what_is_not_known_is_left_to_the_shell(text: str, expected: str) -> None:
    assert expected == parse_template(text, shell=True).render(SCOPE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${item.n}", 3.0),
        ("${item.tags}", ["x", 1, None]),
        ("{{ item.rows }}", [["a"], {"k": 1.5}]),
        ("$name", "Ann"),
        ("${nothing}", None),
        ("${step.files_added:*.py}", ["b.py"]),
        ("${item.n} ", "3 "),
        ("text", "text"),
        ("", ""),
    ],
)
def test_exactly_one_reference_keeps_the_type_of_its_value(text: str, expected: Any) -> None:
    assert expected == parse_template(text).value(SCOPE)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("${other}", ["1:1: nothing by this name: ${other}"]),
        ("a\n ${item.pth} ${x}", [
            "2:2: nothing by this name: ${item.pth}",
            "2:14: nothing by this name: ${x}",
        ]),
        ("${item.tags[7]}", ["1:1: nothing by this name: ${item.tags[7]}"]),
        ("${build.code}", ["1:1: nothing by this name: ${build.code}"]),
        ("${name:jsn}", ["1:1: unknown filter: ${name:jsn} (`:jsn`)"]),
        ("${item.zz:-${yy}}", ["1:12: nothing by this name: ${yy}"]),
    ],
)  # fmt: skip
def test_every_reference_without_a_value_is_reported(text: str, problems: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_template(text).render(SCOPE)
    assert problems == [str(problem).split("\n")[0] for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "expected", "hint"),
    [
        ("${item.pth}", "one of path, n, tags, rows", "did you mean `path`?"),
        ("${item.tags[7]}", "one of [0] to [2]", None),
        ("${build.exitcode}", "one of exit_code", "did you mean `exit_code`?"),
        ("${captured.iner}", "one of inner", "did you mean `inner`?"),
        ("${name:jsn}", "`:json`, `:lines`, `:csv`, or a glob such as `:*.md`", "did you mean `json`?"),
    ],
)  # fmt: skip
def test_an_error_lists_what_is_there(text: str, expected: str, hint: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_template(text).render(SCOPE)
    problem = caught.value.problems[0]
    assert (expected, hint) == (problem.expected, problem.hint)


def test_an_unknown_name_is_left_as_it_stands_if_asked_for() -> None:
    assert "${other} Ann" == parse_template("${other} ${name}").render(SCOPE, strict=False)


def test_a_known_name_with_an_unknown_rest_is_an_error_all_the_same() -> None:
    with pytest.raises(ConfigError):
        parse_template("${item.pth}").render(SCOPE, strict=False)


def test_references_come_in_order_with_their_places() -> None:
    template = parse_template("${a}\n {{ b.c:json }} ${d:-${e}} $f")
    found = [(reference.raw, str(reference.where)) for reference in template.references]
    assert [
        ("${a}", "1:1"),
        ("{{ b.c:json }}", "2:2"),
        ("${d:-${e}}", "2:17"),
        ("${e}", "2:22"),
        ("$f", "2:28"),
    ] == found


def test_defaults_inside_defaults_have_an_end() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_template("${a:-" * 50 + "}" * 50)
    assert "too-deep" == caught.value.problems[0].code


def test_mappings_and_sequences_of_other_kinds_are_json_too() -> None:
    value: Any = UserDict({"k": (1, UserDict({"x": None}))})
    assert '{"k":[1,{"x":null}]}' == parse_template("${v}").render({"v": value})
