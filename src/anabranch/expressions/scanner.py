"""A cursor over a text that knows lines and columns: what both little languages are read with."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Final

from anabranch.values import ConfigError, Location, Problem

_SPACE: Final = re.compile(r"\s*")
_STRING: Final = re.compile(r"'((?:[^']|'')*)'|\"((?:[^\"]|\"\")*)\"")


def locator(text: str) -> Callable[[int], Location]:
    """The function that says where an offset is, as line and column, both from 1.

    >>> str(locator("one two")(4))
    '1:5'
    """
    starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def locate(offset: int) -> Location:
        line = bisect_right(starts, offset)
        return Location(line=line, column=offset - starts[line - 1] + 1)

    return locate


def quote(text: str) -> str:
    """A text as a string literal: a quote inside is written twice."""
    return "'" + text.replace("'", "''") + "'"


class Scanner:
    """A text and a place in it. Mutable, and never leaves the function that reads with it."""

    __slots__ = ("pos", "text")

    def __init__(self, text: str, pos: int = 0) -> None:
        self.text = text
        self.pos = pos

    @property
    def done(self) -> bool:
        """Whether the end is reached."""
        return self.pos >= len(self.text)

    def skip_space(self) -> None:
        """Go to the next character that is no white space."""
        self.take_pattern(_SPACE)

    def peek(self, *prefixes: str) -> str | None:
        """The first of the prefixes that stands here, without moving."""
        return next((p for p in prefixes if self.text.startswith(p, self.pos)), None)

    def take(self, *prefixes: str) -> str | None:
        """The first of the prefixes that stands here, moving past it."""
        found = self.peek(*prefixes)
        if found is not None:
            self.pos += len(found)
        return found

    def take_pattern(self, pattern: re.Pattern[str]) -> str | None:
        """What the pattern matches here, moving past it."""
        found = pattern.match(self.text, self.pos)
        if found is None:
            return None
        self.pos = found.end()
        return found[0]

    def take_string(self) -> str | None:
        """The string literal that stands here, without its quotes.

        A backslash is a backslash (regular expressions stay readable); a quote is written twice.
        """
        found = _STRING.match(self.text, self.pos)
        if found is None:
            return None
        self.pos = found.end()
        single, double = found.groups()
        return double.replace('""', '"') if single is None else single.replace("''", "'")

    def problem(
        self,
        code: str,
        message: str,
        *,
        at: int | None = None,
        value: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> Problem:
        """A problem at an offset, by default here."""
        where = locator(self.text)(self.pos if at is None else at)
        return Problem(
            code=code, message=message, where=where, value=value, expected=expected, hint=hint
        )


def refuse(problems: Iterable[Problem]) -> None:
    """Raise a `ConfigError` of all the problems, if there are any.

    Raises:
        ConfigError: there was a problem.
    """
    if found := tuple(problems):
        raise ConfigError(*found)
