from __future__ import annotations

import csv
import io
import json

from hypothesis import example, given
from hypothesis import strategies as st

from anabranch.planning.items import ItemFormat, read_document, read_output
from anabranch.testing.strategies.values import json_values, texts
from anabranch.values import ConfigError, Json, Problem

LAYOUTS = st.sampled_from([None, 0, 2])
PIECES = ["{", "}", "[", "]", ",", ":", '"a"', '"b"', '"\\ud800"', "1", "-", "1e999", "NaN",
          "null", "tru", '"', "\\", " ", "\n", "\r", "- ", "a: ", "#", "&x", "*x", "'", "\t"]  # fmt: skip
almost_documents = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@given(json_values(), LAYOUTS, st.booleans())
def test_json_is_read_as_it_was_written(value: Json, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert value == read_document(text.encode(), ItemFormat.JSON)


@given(st.lists(json_values(), max_size=4), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_jsonl_is_read_as_it_was_written(values: list[Json], end: str) -> None:
    text = "".join(json.dumps(value, ensure_ascii=False) + end for value in values)
    assert values == read_document(text, ItemFormat.JSONL)


def without_carriage_returns(text: str) -> bool:
    return "\r" not in text and "\n" not in text


cells = texts().map(lambda text: text.replace("\0", ""))
tables = st.integers(1, 4).flatmap(
    lambda width: st.tuples(
        st.lists(cells.filter(bool), min_size=width, max_size=width, unique=True),
        st.lists(st.lists(cells, min_size=width, max_size=width), max_size=4),
    )
)


@given(tables)
def test_csv_is_read_as_it_was_written(table: tuple[list[str], list[list[str]]]) -> None:
    names, rows = table
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([names, *rows])
    expected = [dict(zip(names, row, strict=True)) for row in rows]
    assert expected == read_document(out.getvalue().encode(), ItemFormat.CSV)


@given(st.lists(texts().filter(without_carriage_returns), max_size=4))
def test_lines_are_the_lines_that_say_something(lines: list[str]) -> None:
    text = "".join(line + "\n" for line in lines)
    expected = [line for line in lines if line.strip()]
    assert expected == read_document("\n" + text, ItemFormat.LINES)


@given(st.sampled_from(ItemFormat), almost_documents | texts() | st.binary(max_size=20))
@example(ItemFormat.JSON, "[" * 100_000)
@example(ItemFormat.YAML, "[" * 100_000)
@example(ItemFormat.CSV, '"' + "x" * 200_000 + '"')
@example(ItemFormat.JSON, '{"a": 1, "a": ' + "9" * 5000 + "}")
def test_any_document_is_read_or_refused_with_the_line_of_every_problem(
    item_format: ItemFormat, source: str | bytes
) -> None:
    value, problems = outcome(source, item_format)
    assert all(problem.where.line for problem in problems)
    # What was read is JSON: it survives the strictest writing and reading.
    assert value == json.loads(json.dumps(value, allow_nan=False).encode())


def outcome(source: str | bytes, item_format: ItemFormat) -> tuple[Json, tuple[Problem, ...]]:
    try:
        return read_document(source, item_format), ()
    except ConfigError as error:
        return None, error.problems


@given(texts().filter(lambda text: text.lstrip("\ufeff \n\t\r")[:1] not in ("[", "{")))
def test_what_a_command_prints_is_lines_if_it_cannot_be_json(text: str) -> None:
    assert read_document(text, ItemFormat.LINES) == read_output(text)
