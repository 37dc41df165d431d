"""From references to shell variables: which are ours, what their values are, how they are called."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from attrs import evolve, frozen

from anabranch.expressions.rendering import is_list, render, render_scalar, separator
from anabranch.expressions.shell.tape import Tape
from anabranch.expressions.templates import Reference
from anabranch.values import ConfigError, Json, Problem

_INTEGER: Final = re.compile(r"\s*([+-]?\d{1,19})\s*", re.ASCII)
_LARGEST: Final = 2**63


@frozen
class Bound:
    """A reference and the texts that the shell will see for it.

    Attributes:
        text: the value as one word.
        words: the elements, if the value is a list.
    """

    reference: Reference
    text: str
    words: tuple[str, ...] | None


class Binder:
    """Values of one compilation: their variables, and every problem with them.

    Attributes:
        problems: what is wrong with the values and where they stand.
        variables: the text of each variable of ours, by name.
    """

    def __init__(
        self,
        *,
        is_ours: Callable[[Reference], bool],
        value: Callable[[Reference], Json],
        prefix: str,
    ) -> None:
        self.problems: list[Problem] = []
        self.variables: dict[str, str] = {}
        self._is_ours = is_ours
        self._value = value
        self._prefix = prefix
        self._names: dict[str, str] = {}

    def take(self, tape: Tape) -> Bound | None:
        """The reference of ours that starts here, moving past it; `None` if there is none."""
        if not tape.at("${", "{{"):
            return None
        found = tape.reader.reference(tape.pos)
        if found is None or tape.pos + len(found.raw) > tape.stop or not self._is_ours(found):
            return None
        bound = self._bind(evolve(found, where=tape.where()))
        tape.pos += len(found.raw)
        return bound

    def _bind(self, reference: Reference) -> Bound:
        try:
            value = self._value(reference)
        except ConfigError as error:
            self.problems.extend(error.problems)
            value = ""
        words = tuple(map(render_scalar, value)) if is_list(value) else None
        return Bound(reference, render(value, separator(reference.path)), words)

    def variable(self, bound: Bound, text: str) -> str:
        """The name of the variable that holds a text."""
        if text not in self._names:
            self._check(bound, text)
            name = f"{self._prefix}{len(self._names)}"
            self._names[text] = name
            self.variables[name] = text
        return self._names[text]

    def integer(self, bound: Bound) -> str:
        """The value as a number for the shell's arithmetic, which would run anything else."""
        found = _INTEGER.fullmatch(bound.text)
        if found is None or not -_LARGEST <= int(found[1]) < _LARGEST:
            self.note(
                bound,
                "not-an-integer",
                "the shell takes this as arithmetic, and the value is no integer",
                hint="a value inside `$((…))`, `((…))` or a subscript must be an integer",
            )
            return "0"
        number = int(found[1])
        return str(number) if number >= 0 else f"({number})"

    def single(self, bound: Bound, what: str) -> str:
        """The one word of a value where the shell takes exactly one."""
        if bound.words is not None and len(bound.words) != 1:
            self.note(
                bound,
                "list-for-a-word",
                f"a list of {len(bound.words)} where the shell takes one word ({what})",
                hint="write it in double quotes to join it, or name one element: `${list[0]}`",
            )
        return bound.text

    def note(self, bound: Bound, code: str, message: str, *, hint: str | None = None) -> None:
        """Record a problem with a reference."""
        reference = bound.reference
        self.problems.append(
            Problem(
                code=code, message=message, where=reference.where, value=reference.raw, hint=hint
            )
        )

    def _check(self, bound: Bound, text: str) -> None:
        if "\0" in text:
            self.note(bound, "nul-in-value", "the value holds NUL, which no process can be given")
        try:
            text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            self.note(bound, "bad-text", "the value holds half a surrogate pair, which is no text")
