"""What a command printed, as a value that later steps read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from math import isfinite
from typing import Final

from attrs import frozen
from returns.result import Failure, Result, Success

from anabranch.values import Json


class CaptureFormat(StrEnum):
    """How what was printed is read.

    `string`: as it is, without line breaks at its end. `json`: one JSON value. `lines`: a list of
    lines. `number`: a decimal number. `boolean`: `true`, `yes`, `1`, or `false`, `no`, `0`, in any
    case.
    """

    STRING = "string"
    JSON = "json"
    LINES = "lines"
    NUMBER = "number"
    BOOLEAN = "boolean"


@frozen(kw_only=True)
class Capture:
    """A variable that gets what a step prints.

    Attributes:
        name: what later steps call it.
        format: how it is read.
    """

    name: str
    format: CaptureFormat = CaptureFormat.STRING

    @property
    def variable(self) -> str:
        """The first part of the name."""
        return self.name.partition(".")[0]


def read_capture(text: str, as_: CaptureFormat) -> Result[Json, str]:
    r"""Read what was printed; a failure says what it is not.

    >>> read_capture("a\nb\n", CaptureFormat.LINES)
    <Success: ['a', 'b']>
    >>> read_capture("many", CaptureFormat.NUMBER)
    <Failure: it is no number>
    """
    try:
        return Success(_READERS[as_](text))
    except (ValueError, KeyError, RecursionError):
        return Failure(f"it is no {_CALLED[as_]}")


def _lines(text: str) -> Json:
    *lines, rest = text.split("\n")
    return [*lines, rest] if rest else lines


def _json(text: str) -> Json:
    value: Json = json.loads(text, parse_constant=_finite, parse_float=_finite)
    return value


def _finite(digits: str) -> float:
    """A number as JSON has it, which can be written again."""
    number = float(digits)
    if not isfinite(number):
        raise ValueError(digits)
    return number


def _number(text: str) -> Json:
    match _json(text.strip().removeprefix("+")):
        case bool():
            raise ValueError(text)
        case int() | float() as number:
            return number
        case _:
            raise ValueError(text)


_TRUTHS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_READERS: Final[Mapping[CaptureFormat, Callable[[str], Json]]] = {
    CaptureFormat.STRING: lambda text: text.rstrip("\r\n"),
    CaptureFormat.JSON: _json,
    CaptureFormat.LINES: _lines,
    CaptureFormat.NUMBER: _number,
    CaptureFormat.BOOLEAN: lambda text: _TRUTHS[text.strip().lower()],
}
_CALLED: Final[Mapping[CaptureFormat, str]] = {
    CaptureFormat.STRING: "text",
    CaptureFormat.JSON: "JSON value",
    CaptureFormat.LINES: "list of lines",
    CaptureFormat.NUMBER: "number",
    CaptureFormat.BOOLEAN: "`true` or `false`",
}
