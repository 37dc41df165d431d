"""What the user sees: results on standard output, messages on standard error.

An error begins with `error:`, what was expected follows, a hint stands after a blank line.
Colour is used on a terminal only, and never where `NO_COLOR` is set.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, Final, TextIO

import click
from attrs import asdict, frozen

from anabranch.values import AnabranchError, HostError, Json, Problem

_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_CONTROLS: Final = {
    code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"
}


def harmless(text: str) -> str:
    r"""A text as a terminal may get it, whatever a program printed or an item is called.

    Colours are taken out, and what else steers a terminal is made visible.

    >>> harmless("\x1b[31mred\x1b[0m\x07 \x1b[2J")
    'red\\x07 \\x1b[2J'
    """
    return _COLOURS.sub("", text).translate(_CONTROLS)


_IN_JSON: Final = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}


def json_text(data: Json, *, indent: int | None = None) -> str:
    r"""Data as JSON that stays JSON on its way out.

    What would steer a terminal is escaped, and so is what the encoding of standard output lacks.

    >>> print(json_text(["caf\xe9", "\x7f"]))
    ["café", "\u007f"]
    """
    encoding = sys.stdout.encoding or "utf-8"
    whole = encoding.lower().replace("-", "") == "utf8"
    return json.dumps(data, ensure_ascii=not whole, indent=indent).translate(_IN_JSON)


@frozen(kw_only=True)
class Output:
    """Where a command prints.

    Attributes:
        as_json: whether standard output is for programs.
        color: `False` for none at all; `None` to let each stream decide.
    """

    as_json: bool = False
    color: bool | None = None

    @classmethod
    def of_process(cls, *, as_json: bool) -> Output:
        """The output of this process, made to survive characters that it cannot show."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return cls(as_json=as_json, color=False if os.environ.get("NO_COLOR") else None)

    def result(self, text: str, data: Mapping[str, Json]) -> None:
        """Print a result: `text` for people, or `data` for programs."""
        self.line(json_text(data, indent=2) if self.as_json else text)

    def line(self, text: str) -> None:
        """Print one line of a result that comes piece by piece."""
        self.piece(harmless(text) + "\n")

    def piece(self, text: str) -> None:
        """Print a piece of a result as it is.

        Raises:
            BrokenPipeError: nobody reads it any more.
            HostError: it cannot be written, because a disk is full for example.
        """
        try:
            click.echo(text, nl=False)
        except BrokenPipeError:
            raise
        except OSError as error:
            _into_nothing(sys.stdout)
            message = f"the result cannot be written to standard output: {error.strerror}"
            raise HostError.of("output-lost", message) from None

    def failed(self, error: AnabranchError) -> None:
        """Tell an error with all its problems."""
        if self.as_json:
            data = {"problems": [as_data(p) for p in error.problems]}
            with suppress(HostError):
                self.result("", data)
        if len(error.problems) == 1:
            self._one(error.problems[0])
        else:
            self.say_error(f"{len(error.problems)} problems")
            for problem in error.problems:
                self._say("")
                self.note("\n".join(f"  {line}" for line in str(problem).splitlines()))

    def _one(self, problem: Problem) -> None:
        lines = str(problem).splitlines()
        text = lines if problem.hint is None else lines[:-1]
        self.say_error("\n".join(text))
        if problem.hint is not None:
            self._say("")
            self.say_hint(problem.hint)

    def note(self, text: str) -> None:
        """Print something for people, beside the result."""
        self._say(harmless(text))

    def say_error(self, text: str) -> None:
        """Print a message that begins with `error:`."""
        self._say(f"{click.style('error', fg='red', bold=True)}: {harmless(text)}")

    def say_hint(self, text: str) -> None:
        """Print a message that begins with `hint:`."""
        self._say(f"{click.style('hint', fg='cyan', bold=True)}: {harmless(text)}")

    @cached_property
    def _colored(self) -> bool:
        """Whether messages are: the terminal is asked once, and not for each of them."""
        return sys.stderr.isatty() if self.color is None else self.color

    def _say(self, text: str) -> None:
        """Print a message; a run does not end because nobody reads how it goes."""
        try:
            click.echo(text, err=True, color=self._colored)
        except OSError:
            _into_nothing(sys.stderr)


def _into_nothing(stream: TextIO) -> None:
    """Throw away what a stream still holds, at which Python would stumble again at its end."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)


def as_data(problem: Problem) -> dict[str, Any]:
    """A problem for programs, without what is not known."""
    data = asdict(problem, filter=lambda _, value: value is not None)
    return {**data, "severity": problem.severity.value}


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of text, with columns as wide as they have to be."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(map(str.ljust, row, widths)).rstrip()


def format_size(number: int) -> str:
    """A number of bytes for people.

    >>> format_size(3 << 29), format_size(7 << 20), format_size(4096)
    ('1.5 GiB', '7 MiB', '4 KiB')
    """
    if number >= 1 << 30:
        return f"{number / (1 << 30):.1f} GiB"
    return f"{number / (1 << 20):.0f} MiB" if number >= 1 << 20 else f"{number / (1 << 10):.0f} KiB"
