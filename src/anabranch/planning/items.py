"""Documents to items: JSON, JSONL, CSV, YAML, lines. Reading the file is somebody else's work.

Every format gives one JSON document, an array where it has many records, so that a JSONPath
means the same whatever the file was: the document of a CSV file is the array of its rows.
All that is wrong is reported at once, each with its line.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from math import isfinite
from pathlib import PurePosixPath
from typing import Final

from attrs import evolve

from anabranch.planning.checks import refuse
from anabranch.planning.json_text import TextPlace, is_json, read_json
from anabranch.values import ConfigError, Json, Location, Problem
from anabranch.values.yaml import Entries, Items, Node, Scalar, Spot, read_yaml

MAX_PROBLEMS: Final = 100
"""How many problems of one document are listed; the rest is counted."""


class ItemFormat(StrEnum):
    """How a document with items is written.

    `json`: one value. `jsonl`: one value on each line that is not blank. `csv`: RFC 4180 with a
    first row of names; a row is an object of texts. `yaml`: one document of YAML 1.2. `lines`:
    each line that is not blank is a text.
    """

    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    YAML = "yaml"
    LINES = "lines"


_SUFFIXES: Final = {
    ".json": ItemFormat.JSON,
    ".jsonl": ItemFormat.JSONL,
    ".ndjson": ItemFormat.JSONL,
    ".csv": ItemFormat.CSV,
    ".yaml": ItemFormat.YAML,
    ".yml": ItemFormat.YAML,
    ".txt": ItemFormat.LINES,
}


def format_of(path: str) -> ItemFormat:
    """The format that a file's name promises; JSON if it promises nothing.

    >>> format_of("data/rows.CSV"), format_of("items")
    (<ItemFormat.CSV: 'csv'>, <ItemFormat.JSON: 'json'>)
    """
    return _SUFFIXES.get(PurePosixPath(path).suffix.lower(), ItemFormat.JSON)


def read_document(source: str | bytes, item_format: ItemFormat, *, file: str | None = None) -> Json:
    r"""Read a document with items.

    Args:
        source: the whole document; bytes are UTF-8, with or without a byte order mark.
        item_format: how it is written.
        file: its name, for the text of errors.

    Returns:
        The value of a JSON or YAML document; a list of records for the other formats.

    Raises:
        ConfigError: everything that is wrong with it, at most `MAX_PROBLEMS`, with its line.

    >>> read_document("name,size\na,1\n", ItemFormat.CSV)
    [{'name': 'a', 'size': '1'}]
    """
    return _READERS[item_format](_text(source, file), TextPlace(file=file))


def _text(source: str | bytes, file: str | None) -> str:
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            Problem(
                code="bad-encoding",
                message="not text in UTF-8",
                where=Location(file=file, line=line),
                value=f"byte {source[error.start : error.start + 1].hex()}",
                hint="save it as UTF-8" if source.startswith((b"\xff\xfe", b"\xfe\xff")) else None,
            )
        ) from None


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, counted from 1; only a line feed ends a line."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line.removesuffix("\r")


def _read_jsonl(text: str, place: TextPlace) -> Sequence[Json]:
    values: list[Json] = []
    problems: list[Problem] = []
    for number, line in _lines(text):
        try:
            values.append(read_json(line, TextPlace(file=place.file, line=number)))
        except ConfigError as error:
            problems.extend(error.problems)
    _refuse(problems)
    return values


def _read_lines(text: str, _place: TextPlace) -> Sequence[Json]:
    return [line for _, line in _lines(text)]


def _read_csv(text: str, place: TextPlace) -> Sequence[Json]:
    rows = _rows(text, place)
    line, names = next(rows, (1, list[str]()))
    problems = [*_bad_names(names, TextPlace(file=place.file, line=line))]
    items: list[Json] = []
    for number, values in rows:
        if len(values) == len(names):
            items.append(dict(zip(names, values, strict=True)))
        else:
            at = Location(file=place.file, line=number)
            problems.append(_csv_problem(at, f"{len(values)} values under {len(names)} names"))
    _refuse(problems)
    return items


def _rows(text: str, place: TextPlace) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line that it begins on."""
    reader = csv.reader((f"{line}\n" for line in text.split("\n")), strict=True)
    begins = 1
    try:
        for row in reader:
            if row:
                yield begins, row
            begins = reader.line_num + 1
    except csv.Error as error:
        raise ConfigError(
            _csv_problem(Location(file=place.file, line=begins), str(error))
        ) from None


def _bad_names(names: Sequence[str], place: TextPlace) -> Iterator[Problem]:
    at = Location(file=place.file, line=place.line)
    if "" in names:
        yield _csv_problem(at, "a column without a name")
    for name, count in Counter(names).items():
        if name and count > 1:
            yield _csv_problem(at, f"{count} columns of one name", name)


def _csv_problem(where: Location, message: str, value: str | None = None) -> Problem:
    return Problem(code="bad-csv", message=message, where=where, value=value)


def _read_yaml(text: str, place: TextPlace) -> Json:
    spot = Spot(place.file)
    document = read_yaml(text, spot)
    if document.top is None or document.problems:
        raise ConfigError(*document.problems)
    problems: list[Problem] = []
    value = _plain(document.top, spot, problems)
    _refuse(problems)
    return value


def _plain(node: Node, spot: Spot, problems: list[Problem]) -> Json:
    """The JSON value of a node; the problems of what JSON cannot say are added to the list."""
    match node:
        case Items(children):
            return [_plain(c, spot.index(n), problems) for n, c in enumerate(children)]
        case Entries(entries):
            return {e.key: _plain(e.value, spot.key(e.key), problems) for e in entries}
        case Scalar(float(value)) if not isfinite(value):
            problem = Problem(code="bad-yaml", message="a number that JSON does not have")
            problems.append(evolve(spot.put(problem, node.place), value=node.text))
            return None
        case Scalar(value):
            return value


_READERS: Final[Mapping[ItemFormat, Callable[[str, TextPlace], Json]]] = {
    ItemFormat.JSON: read_json,
    ItemFormat.JSONL: _read_jsonl,
    ItemFormat.CSV: _read_csv,
    ItemFormat.YAML: _read_yaml,
    ItemFormat.LINES: _read_lines,
}


def read_output(output: str | bytes) -> Json:
    r"""Read what a command printed: JSON if it is JSON, and otherwise lines.

    JSON is an array or object, or one on each line; a lone number or word is a line.

    >>> read_output('{"id": 1}\n{"id": 2}\n'), read_output("[id].tsx\n12\n")
    ([{'id': 1}, {'id': 2}], ['[id].tsx', '12'])

    Raises:
        ConfigError: not text in UTF-8.
    """
    text, place = _text(output, None), TextPlace()
    lines = [line for _, line in _lines(text)]
    if text.lstrip().startswith(("{", "[")):
        if is_json(text):
            return read_json(text, place)
        if all(map(is_json, lines)):
            return _read_jsonl(text, place)
    return lines


def _refuse(problems: Sequence[Problem]) -> None:
    """As `refuse`, but a document of a million wrong lines is not a million problems."""
    more = len(problems) - MAX_PROBLEMS
    rest = Problem(code="more-problems", message=f"and {more} more problems like these")
    refuse([*problems[:MAX_PROBLEMS], *([rest] if more > 0 else [])])
