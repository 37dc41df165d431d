"""JSON text to values: strictly RFC 8259, with a line and column for whatever is wrong.

The parser of the standard library lets pass what cannot be meant: a name given twice in an
object (the last one wins), `NaN`, numbers that overflow to infinity, half a surrogate pair.
A text that shows a sign of these is read a second time, token by token, to say where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder
from math import isinf
from typing import Any, Final, Never, TypeAlias

from attrs import frozen

from anabranch.values import ConfigError, Json, Location, Problem

_LONGEST_NUMBER: Final = 1000
_SUSPECT: Final = re.compile(r"\\u[dD][89a-fA-F]|[eE]\+?\d{3}|\d{300}")
_TOKEN: Final = re.compile(
    r"""(?P<string> "(?:[^"\\]|\\.)*" )
      | (?P<number> -?\d[\d.eE+-]* )
      | (?P<constant> NaN | -?Infinity )
      | (?P<mark> [\[\]{},] )""",
    re.VERBOSE | re.DOTALL,
)
_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")
_LENIENT: Final = JSONDecoder(strict=False)


@frozen(kw_only=True)
class TextPlace:
    """Where a piece of text comes from: its file, and the line of it that the piece begins on."""

    file: str | None = None
    line: int = 1

    def at(self, text: str, offset: int) -> Location:
        """The place of a character of the piece."""
        line_start = text.rfind("\n", 0, offset) + 1
        line = self.line + text.count("\n", 0, offset)
        return Location(file=self.file, line=line, column=offset - line_start + 1)


class _OddError(Exception):
    """Something was read that the second reading will find."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise _OddError
    return values


def _constant(name: str) -> Never:
    raise _OddError(name)


_STRICT: Final = JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def read_json(text: str, place: TextPlace | None = None) -> Json:
    """Read one JSON value.

    Raises:
        ConfigError: not JSON (the first mistake), or names given twice, numbers and strings
            that have no value (all of them); with line and column.

    >>> read_json('{"a": [1, 2.5, null]}')
    {'a': [1, 2.5, None]}
    >>> read_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    anabranch.values.errors.ConfigError: 1:10: a name that the object has already: "a"
    """
    place = TextPlace() if place is None else place
    try:
        value = _decoded(text)
    except JSONDecodeError as error:
        raise ConfigError(_syntax(error, place)) from None
    except RecursionError:
        raise ConfigError(_problem("nested too deeply", place.at(text, 0))) from None
    except (_OddError, ValueError):
        raise ConfigError(*_oddities(text, place)) from None
    if _SUSPECT.search(text) and (problems := tuple(_oddities(text, place))):
        raise ConfigError(*problems)
    return value


def is_json(text: str) -> bool:
    """Whether a lenient parser would take it for JSON.

    >>> is_json("[id].tsx"), is_json("{}")
    (False, True)
    """
    try:
        _LENIENT.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def _decoded(text: str) -> Json:
    """The value. What is not JSON at all is found before what is merely odd."""
    try:
        value: Json = _STRICT.decode(text)
    except _OddError:
        _LENIENT.decode(text)
        raise
    return value


def _syntax(error: JSONDecodeError, place: TextPlace) -> Problem:
    if not error.doc.strip():
        return _problem("the document is empty", place.at(error.doc, 0))
    line = error.doc.split("\n")[error.lineno - 1]
    said = error.msg[:1].lower() + error.msg[1:]
    shown = line[max(0, error.colno - 21) : error.colno + 39].strip()
    return _problem(f"not JSON, {said}", place.at(error.doc, error.pos), shown or None)


def _problem(message: str, where: Location, value: str | None = None) -> Problem:
    return Problem(code="bad-json", message=message, where=where, value=value)


_Names: TypeAlias = set[str] | None


def _oddities(text: str, place: TextPlace) -> Iterator[Problem]:
    """Everything that a lenient parser lets pass. The stack holds the names of open objects."""
    stack: list[_Names] = [None]
    name_follows = False
    for found in _TOKEN.finditer(text):
        piece, names = found[0], stack[-1]
        message = None
        match found.lastgroup:
            case "mark":
                _move(stack, piece)
                name_follows = piece in "{," and stack[-1] is not None
            case "string":
                message = _string(piece, names if name_follows else None)
                name_follows = False
            case "number":
                message = _number(piece)
            case _:
                message = "a number that JSON does not have"
        if message:
            yield _problem(message, place.at(text, found.start()), piece[:60])


def _move(stack: list[_Names], mark: str) -> None:
    if mark in "{[":
        stack.append(set() if mark == "{" else None)
    elif mark in "}]" and len(stack) > 1:
        stack.pop()


def _string(piece: str, names: _Names) -> str | None:
    value = str(_LENIENT.decode(piece))
    if _HALF_PAIR.search(value):
        return "half a surrogate pair, which is no character"
    if names is not None:
        if value in names:
            return "a name that the object has already"
        names.add(value)
    return None


def _number(piece: str) -> str | None:
    if len(piece) > _LONGEST_NUMBER:
        return f"a number of more than {_LONGEST_NUMBER} characters"
    whole = piece.lstrip("-").isdigit()
    return None if whole or not isinf(float(piece)) else "a number too large for a float"
