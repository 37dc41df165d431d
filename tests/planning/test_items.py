from __future__ import annotations

import pytest

from anabranch.planning.items import (
    MAX_PROBLEMS,
    ItemFormat,
    format_of,
    read_document,
    read_output,
)
from anabranch.values import ConfigError, Json


def problems_of(source: str | bytes, item_format: ItemFormat) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_document(source, item_format, file="f")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.json", ItemFormat.JSON),
        ("a.jsonl", ItemFormat.JSONL),
        ("a.ndjson", ItemFormat.JSONL),
        ("dir.csv/A.CSV", ItemFormat.CSV),
        ("a.yml", ItemFormat.YAML),
        ("a.txt", ItemFormat.LINES),
        ("no-suffix", ItemFormat.JSON),
    ],
)
def test_the_name_of_a_file_tells_its_format(path: str, expected: ItemFormat) -> None:
    assert expected == format_of(path)


def test_a_byte_order_mark_is_no_part_of_the_document() -> None:
    assert [1] == read_document(b"\xef\xbb\xbf[1]", ItemFormat.JSON)
    assert [1] == read_document("\ufeff[1]", ItemFormat.JSON)


def test_bytes_that_are_not_utf8_are_refused_with_their_line() -> None:
    assert ["f:2: not text in UTF-8: byte ff"] == problems_of(b"a\n\xff", ItemFormat.LINES)
    assert ["f:1: not text in UTF-8: byte ff\n  hint: save it as UTF-8"] == problems_of(
        "[1]".encode("utf-16"), ItemFormat.JSON
    )


def test_jsonl_is_one_value_on_each_line_that_is_not_blank() -> None:
    text = '{"a": 1}\r\n\n  \n"two\u2028lines"\n3'
    assert [{"a": 1}, "two\u2028lines", 3] == read_document(text, ItemFormat.JSONL)


def test_every_wrong_line_of_jsonl_is_reported() -> None:
    text = '{"a": 1}\n{"a": }\n[1]\n{"b": 1, "b": 2}\nx'
    assert [
        'f:2:7: not JSON, expecting value: {"a": }',
        'f:4:10: a name that the object has already: "b"',
        "f:5:1: not JSON, expecting value: x",
    ] == problems_of(text, ItemFormat.JSONL)


def test_a_document_wrong_throughout_lists_the_first_problems_and_counts_the_rest() -> None:
    problems = problems_of("x\n" * 1000, ItemFormat.JSONL)
    assert MAX_PROBLEMS + 1 == len(problems)
    assert "and 900 more problems like these" == problems[-1]


def test_lines_are_texts_as_they_stand() -> None:
    expected = [" a b ", "12", "x\x0cy", "z"]
    assert expected == read_document(" a b \n\n12\r\nx\x0cy\nz", ItemFormat.LINES)


def test_rows_of_csv_are_objects_of_texts() -> None:
    text = 'path,note\r\na.py,"two\nlines, ""quoted"""\r\n\r\nb.py,\r\n'
    expected = [
        {"path": "a.py", "note": 'two\nlines, "quoted"'},
        {"path": "b.py", "note": ""},
    ]
    assert expected == read_document(text, ItemFormat.CSV)


def test_every_wrong_row_of_csv_is_reported_with_the_line_it_begins_on() -> None:
    text = 'a,b,a,\n1,2,3,4\n"x\ny",2\n1\n1,2,3,4'
    assert [
        "f:1: a column without a name",
        "f:1: 2 columns of one name: a",
        "f:3: 2 values under 4 names",
        "f:5: 1 values under 4 names",
    ] == problems_of(text, ItemFormat.CSV)


def test_a_quote_that_never_ends_is_reported_where_it_begins() -> None:
    assert ["f:3: unexpected end of data"] == problems_of('a\n1\n"2\n3', ItemFormat.CSV)


@pytest.mark.parametrize("item_format", [ItemFormat.JSONL, ItemFormat.CSV, ItemFormat.LINES])
def test_an_empty_document_of_records_has_no_items(item_format: ItemFormat) -> None:
    assert [] == read_document("\n", item_format)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ('[1, {"a": 2}]\n', [1, {"a": 2}]),
        ('{"items": []}', {"items": []}),
        ('{"a": 1}\n\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        ("src/a.py\nsrc/b.py\n", ["src/a.py", "src/b.py"]),
        ("[id].tsx\n{x}.ts\n", ["[id].tsx", "{x}.ts"]),
        ("12\nnull\n", ["12", "null"]),
        ("", []),
    ],
)
def test_what_a_command_prints_is_json_if_it_is_json_and_lines_otherwise(
    output: str, expected: Json
) -> None:
    assert expected == read_output(output)


def test_json_from_a_command_is_read_as_strictly_as_from_a_file() -> None:
    with pytest.raises(ConfigError, match="a name that the object has already"):
        read_output('{"a": 1, "a": 2}')


def test_yaml_is_read_by_the_rules_of_its_version_1_2() -> None:
    text = "- {path: a.py, on: yes, mode: 014}\n- &x [1, ~, 2.5]\n- *x\n- 2024-01-01\n"
    assert [
        {"path": "a.py", "on": "yes", "mode": 14},
        [1, None, 2.5],
        [1, None, 2.5],
        "2024-01-01",
    ] == read_document(text, ItemFormat.YAML)


def test_every_problem_of_a_yaml_document_is_reported_with_its_place() -> None:
    assert [
        "f:2:3: a key given twice: a\n  hint: see line 1",
        "f:3:3: a tag that means nothing here: !secret",
    ] == problems_of("- a: 1\n  a: 2\n- !secret x\n", ItemFormat.YAML)
    assert [
        "f:1:2 ([0]): a number that JSON does not have: .inf",
        "f:1:12 ([1].n): a number that JSON does not have: .nan",
    ] == problems_of("[.inf, {n: .nan}]", ItemFormat.YAML)
