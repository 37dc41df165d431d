from __future__ import annotations

import csv
import io
import json
import re
from fnmatch import fnmatchcase

from hypothesis import example, given
from hypothesis import strategies as st

from anabranch.expressions import parse_template
from anabranch.testing.strategies.expressions import template_texts
from anabranch.testing.strategies.values import (
    json_items,
    json_scalars,
    json_values,
    numbers,
    texts,
)
from anabranch.values import ConfigError, Json, Problem


@given(template_texts(), st.booleans())
def test_a_template_is_its_text(text: str, shell: bool) -> None:
    assert text == str(parse_template(text, shell=shell))


@given(template_texts())
def test_the_parts_of_a_template_are_its_text_in_order(text: str) -> None:
    parts = parse_template(text).parts
    joined = (part if isinstance(part, str) else part.raw.replace("$${", "${") for part in parts)
    assert text.replace("$${", "${") == "".join(joined)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-99, 99).map(float))
@example(2.0**53)
@example(1e16)
def test_a_number_is_its_shortest_text_without_a_spurious_fraction(number: float) -> None:
    text = parse_template("${v}").render({"v": number})
    assert number == float(text)
    assert repr(number + 0.0).removesuffix(".0") == text


@given(template_texts(), json_items(), st.booleans())
def test_every_text_renders_or_says_where_it_cannot(
    text: str, scope: dict[str, Json], shell: bool
) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        rendered = parse_template(text, shell=shell).render(scope)
    except ConfigError as error:
        problems, rendered = error.problems, ""
    assert isinstance(rendered, str)
    assert all(problem.where.line for problem in problems)


@given(texts(), texts().filter(lambda text: "$" not in text and "{{" not in text))
def test_what_a_value_holds_is_never_read_again(value: str, around: str) -> None:
    template = parse_template(around + "${x}" + around + "{{ x }}$x;")
    assert f"{around}{value}{around}{value}{value};" == template.render({"x": value, "item": "no"})


@given(texts().filter(lambda text: "$" not in text and "{{" not in text), json_items())
def test_a_text_without_references_is_left_alone(text: str, scope: dict[str, Json]) -> None:
    assert text == parse_template(text).render(scope)


@given(json_values())
def test_a_template_that_is_one_reference_keeps_the_value(value: Json) -> None:
    expected = (type(value), value)
    found = parse_template("${x}").value({"x": value})
    assert expected == (type(found), found)


@given(numbers())
def test_a_number_is_rendered_as_the_number_it_is(number: float) -> None:
    text = parse_template("${x}").render({"x": number})
    assert number == json.loads(text)
    assert not text.endswith(".0") or abs(number) >= 2**53


@given(json_values())
def test_the_json_filter_gives_json(value: Json) -> None:
    assert value == json.loads(parse_template("${x:json}").render({"x": value}))


@given(st.lists(json_scalars(), min_size=2, max_size=5))
def test_the_csv_filter_gives_one_row(values: list[Json]) -> None:
    text = parse_template("${x:csv}").render({"x": values})
    cells = [parse_template("${x}").render({"x": value}) for value in values]
    assert [cells] == list(csv.reader(io.StringIO(text, newline="")))


@given(st.lists(texts()))
def test_the_lines_filter_gives_one_line_for_each(values: list[str]) -> None:
    assert "\n".join(values) == parse_template("${x:lines}").render({"x": values})


globs = st.lists(
    st.sampled_from(["*", "?", "a", "b", ".md", ".", "[ab]", "[!a]", "[a-c]", "["]), max_size=5
).map(lambda parts: "*" + "".join(parts))
names = st.text("ab.cmd[é", max_size=6)


@given(globs, st.lists(names, max_size=6), st.lists(names, max_size=2))
def test_a_glob_without_a_slash_looks_at_the_last_part_of_a_path(
    pattern: str, found: list[str], folders: list[str]
) -> None:
    paths: list[Json] = ["/".join([*folders, name]) for name in found]
    expected = [path for path, name in zip(paths, found, strict=True) if fnmatchcase(name, pattern)]
    assert expected == parse_template(f"${{x:{pattern}}}").value({"x": paths})


@given(st.lists(st.sampled_from(["a", "b", "src"]), max_size=4))
def test_two_stars_cross_slashes_and_one_does_not(folders: list[str]) -> None:
    path = "/".join(["src", *folders, "x.py"])
    deep = parse_template("${p:src/**/*.py}").value({"p": [path]})
    flat = parse_template("${p:src/*.py}").value({"p": [path]})
    assert ([path], [path] if not folders else []) == (deep, flat)


@given(json_values(), st.sampled_from(["", "none", "a b", "${y}", "$${}", '{"k": {}}']))
def test_a_default_stands_in_for_null_and_for_nothing_and_for_nothing_else(
    value: Json, default: str
) -> None:
    scope: dict[str, Json] = {"x": {"k": value}, "y": "why"}
    expected = default.replace("${y}", "why").replace("$${", "${")
    given_value = parse_template("${x.k:-" + default + "}").value(scope)
    missing = parse_template("${x.none:-" + default + "}").value(scope)
    assert (expected if value is None else value, expected) == (given_value, missing)


@given(st.text("${}a:-", max_size=30))
def test_braces_of_all_sorts_end_somewhere(text: str) -> None:
    template = parse_template(text)
    assert all(re.match(r"\$|\{\{", reference.raw) for reference in template.references)
