"""From holes to shell variables: the values, their names, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from attrs import evolve

from anabranch.expressions.rendering import is_list, render, render_scalar, separator
from anabranch.expressions.scopes import Scope
from anabranch.expressions.shell.holes import Hole, Piece, Write
from anabranch.expressions.templates import resolve
from anabranch.values import ConfigError, Json, Problem

_INTEGER: Final = re.compile(r"\s*([+-]?\d{1,19})\s*", re.ASCII)
_LARGEST: Final = 2**63


def unfit(text: str, *, what: str, value: str | None = None) -> Problem | None:
    r"""Why no process can be given a text, if it cannot.

    >>> unfit("a\0b", what="the value").message
    'the value holds NUL, which no process can be given'
    """
    if "\0" in text:
        message = f"{what} holds NUL, which no process can be given"
        return Problem(code="nul-in-value", message=message, value=value)
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        message = f"{what} holds half a surrogate pair, which is no text"
        return Problem(code="bad-text", message=message, value=value)
    return None


class Filling:
    """The values of one script.

    Attributes:
        prefix: how the names of our variables begin.
        variables: the text of each variable of ours, by name.
        problems: what is wrong with the values.
    """

    def __init__(self, scope: Scope, prefix: str) -> None:
        self.prefix = prefix
        self.variables: dict[str, str] = {}
        self.problems: list[Problem] = []
        self._scope = scope
        self._names: dict[str, str] = {}

    def fill(self, pieces: Iterable[Piece]) -> str:
        """The script, with an expansion in each hole."""
        return "".join(piece if isinstance(piece, str) else self._hole(piece) for piece in pieces)

    def _hole(self, hole: Hole) -> str:
        try:
            value = resolve(hole.reference, self._scope)
        except ConfigError as error:
            self.problems.extend(error.problems)
            return ""
        text = render(value, separator(hole.reference.path))
        if hole.write is Write.DIGITS or hole.numeric:
            number = self._integer(hole, text)
            if hole.write is Write.DIGITS:
                return number
        if hole.declared and text.startswith("("):
            self._note(
                hole,
                "value-as-code",
                "`declare` would take this value, which begins with `(`, as an array and run it",
                hint="assign it first and declare the variable after: `x=${item.path}; export x`",
            )
        if hole.write is Write.WORDS and is_list(value):
            return self._words(hole, value)
        return _WRITTEN[hole.write].format(self._variable(hole, text))

    def _words(self, hole: Hole, value: Iterable[Json]) -> str:
        """A list, one word for each element."""
        words = [self._variable(hole, render_scalar(element)) for element in value]
        if hole.single and len(words) != 1:
            self._note(
                hole,
                "list-for-a-word",
                f"a list of {len(words)} where the shell takes one word ({hole.single})",
                hint="write it in double quotes to join it, or name one element: `${list[0]}`",
            )
        return " ".join(map(_WRITTEN[Write.QUOTED].format, words))

    def _variable(self, hole: Hole, text: str) -> str:
        """The name of the variable that holds a text."""
        if text not in self._names:
            self._check(hole, text)
            name = f"{self.prefix}{len(self._names)}"
            self._names[text] = name
            self.variables[name] = text
        return self._names[text]

    def _check(self, hole: Hole, text: str) -> None:
        if problem := unfit(text, what="the value", value=hole.reference.raw):
            self.problems.append(evolve(problem, where=hole.reference.where))

    def _integer(self, hole: Hole, text: str) -> str:
        """The value as a number for the shell's arithmetic, which would run anything else."""
        found = _INTEGER.fullmatch(text)
        if found is None or not -_LARGEST <= int(found[1]) < _LARGEST:
            self._note(
                hole,
                "not-an-integer",
                "the shell takes this as arithmetic, and the value is no integer",
                hint="a value inside `$((…))`, `((…))`, a subscript or beside `-eq` is an integer",
            )
            return "0"
        number = int(found[1])
        return str(number) if number >= 0 else f"({number})"

    def _note(self, hole: Hole, code: str, message: str, *, hint: str | None = None) -> None:
        reference = hole.reference
        self.problems.append(
            Problem(
                code=code, message=message, where=reference.where, value=reference.raw, hint=hint
            )
        )


_WRITTEN: Final = {
    Write.WORDS: '"${{{}}}"',
    Write.QUOTED: '"${{{}}}"',
    Write.INSIDE: "${{{}}}",
    Write.SPLICED: "'\"${{{}}}\"'",
}
"""How an expansion of a variable is written."""
