from __future__ import annotations

import pytest

from anabranch.values import ConfigError, Problem
from anabranch.workflow import map_phase, plan_items


def refused(json_path: str, data: bytes) -> Problem:
    with pytest.raises(ConfigError) as caught:
        plan_items(map_phase("items.json", ["make"], json_path=json_path), data)
    (problem,) = caught.value.problems
    return problem


def test_items_are_chosen_as_the_phase_says() -> None:
    phase = map_phase(
        "items.json",
        ["make"],
        json_path="$.items[*]",
        filter="n > 1",
        sort_by="n DESC",
        offset=1,
        max_items=1,
    )
    planned = plan_items(phase, b'{"items": [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}]}')
    assert [{"n": 3}] == [assignment.item for assignment in planned]


@pytest.mark.parametrize("data", [b"", b"[1,", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_told_with_its_place_in_the_file(data: bytes) -> None:
    where = refused("$", data).where
    assert ("items.json", 1) == (where.file, where.line)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("items.jsonl", b'{"n": "1"}\n{"n": "2"}\n'),
        ("items.csv", b"n\n1\n2\n"),
        ("items.yml", b"- n: '1'\n- n: '2'\n"),
    ],
)
def test_the_suffix_of_the_input_tells_its_format(name: str, data: bytes) -> None:
    planned = plan_items(map_phase(name, ["make"], filter="n == '2'"), data)
    assert [{"n": "2"}] == [assignment.item for assignment in planned]


@pytest.mark.parametrize(
    ("path", "data", "outline"),
    [
        ("$.itms[*]", b'{"items": [1], "other": 2}', "the document has `$.items`, `$.other`"),
        ("$.items[*]", b"[1, 2]", "the document is an array of 2, `$[*]`"),
        ("$.a", b'"text"', "the document is a single value, `$`"),
        ("$.a", b"{}", "the document is an empty object"),
        ("$[?@.n > 3]", b'[{"n": 1}]', "the document is an array of 1, `$[*]`"),
    ],
)
def test_a_path_that_matches_nothing_is_told_with_what_there_is(
    path: str, data: bytes, outline: str
) -> None:
    problem = refused(path, data)
    assert ("no-match", path, outline) == (problem.code, problem.value, problem.expected)


@pytest.mark.parametrize(
    ("path", "data"),
    [("$[*]", b"[]"), ("$.items[*]", b'{"items": []}'), ("$.items", b'{"items": []}')],
)
def test_a_list_without_items_is_no_work_and_no_mistake(path: str, data: bytes) -> None:
    assert plan_items(map_phase("items.json", ["make"], json_path=path), data) == ()
