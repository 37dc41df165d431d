from __future__ import annotations

import pytest

from anabranch.planning.json_text import TextPlace, read_json
from anabranch.values import ConfigError


def problems_of(text: str) -> list[tuple[int | None, int | None, str]]:
    with pytest.raises(ConfigError) as caught:
        read_json(text)
    return [(p.where.line, p.where.column, p.message) for p in caught.value.problems]


def test_a_mistake_is_placed_and_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        read_json('{\n  "a": 1,\n  "b": ]\n}', TextPlace(file="i.json", line=10))
    assert 'i.json:12:8: not JSON, expecting value: "b": ]' == str(caught.value)


def test_every_name_given_twice_is_reported_where_it_is_given_again() -> None:
    text = '{"a": {"x": 1, "x": 2},\n "b": [{"x": "a"}, "x"],\n "a": 0}'
    said = "a name that the object has already"
    assert [(1, 16, said), (3, 2, said)] == problems_of(text)


def test_names_that_differ_only_in_their_escapes_are_the_same_name() -> None:
    assert [(1, 10, "a name that the object has already")] == problems_of('{"a": 1, "\\u0061": 2}')


@pytest.mark.parametrize("text", ["NaN", "[1, -Infinity]", '{"a": Infinity}'])
def test_numbers_that_only_python_knows_are_refused(text: str) -> None:
    assert ["a number that JSON does not have"] == [message for *_, message in problems_of(text)]


@pytest.mark.parametrize("text", ["1e999", "-1E+400", "[1, 2e400]"])
def test_a_number_too_large_for_a_float_is_refused(text: str) -> None:
    assert ["a number too large for a float"] == [message for *_, message in problems_of(text)]


def test_a_whole_number_may_be_larger_than_any_float_but_not_endless() -> None:
    assert 10**400 == read_json("1" + "0" * 400)
    message = "a number of more than 1000 characters"
    assert [(1, 4, message)] == problems_of("[1,1" + "0" * 5000 + "]")


def test_half_a_surrogate_pair_is_refused_and_a_whole_one_is_a_character() -> None:
    assert "😀" == read_json(r'"\ud83d\ude00"')
    message = "half a surrogate pair, which is no character"
    assert [(1, 2, message)] == problems_of(r'["\ud83d"]')


def test_what_looks_odd_inside_a_string_is_only_a_string() -> None:
    text = '["NaN", "1e999", "{\\"a\\": 1, \\"a\\": 2}", "\\\\ud800"]'
    assert ["NaN", "1e999", '{"a": 1, "a": 2}', "\\ud800"] == read_json(text)


def test_text_that_is_no_json_at_all_is_said_to_be_that_whatever_else_is_odd() -> None:
    assert [(1, 18, "not JSON, extra data")] == problems_of('{"a": 1, "a": 2} ]')


def test_nesting_beyond_the_stack_is_a_problem_and_not_a_crash() -> None:
    assert [(1, 1, "nested too deeply")] == problems_of("[" * 100_000 + "]" * 100_000)


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_document_is_said_to_be_empty(text: str) -> None:
    assert [(1, 1, "the document is empty")] == problems_of(text)
