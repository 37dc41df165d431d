"""How a condition is read: a scanner, the problems so far, and where to go on after one."""

from __future__ import annotations

import re
from typing import Final

from anabranch.expressions.scanner import Scanner
from anabranch.values import Problem

WORD: Final = re.compile(r"[^\s()\[\],'\"=!<>&|]+")
"""What an operand without quotes is made of."""

KEYWORD: Final = re.compile(r"(and|or|not|in|matches)(?![\w.-])", re.IGNORECASE)
"""The words that are operators."""


class Skip(Exception):  # noqa: N818  # a signal inside this room: give up on one operand
    """Reading on makes no sense before the next connective."""


class Reader:
    """What all levels of the grammar read with."""

    def __init__(self, text: str) -> None:
        self.scanner = Scanner(text)
        self.problems: list[Problem] = []

    def take(self, *prefixes: str) -> str | None:
        """Move past the first of the prefixes that stands here, and the space around it."""
        self.scanner.skip_space()
        found = self.scanner.take(*prefixes)
        self.scanner.skip_space()
        return found

    def keyword(self, *names: str) -> bool:
        """Move past one of the words, in any case."""
        self.scanner.skip_space()
        found = KEYWORD.match(self.scanner.text, self.scanner.pos)
        if found is None or found[1].lower() not in names:
            return False
        self.scanner.pos = found.end()
        return True

    def connective(self, symbol: str, word: str) -> bool:
        """Move past an operator that is written in one of two ways."""
        return bool(self.take(symbol)) or self.keyword(word)

    def bang(self) -> bool:
        """Move past a `!` that is no `!=`."""
        self.scanner.skip_space()
        return not self.scanner.peek("!=") and bool(self.scanner.take("!"))

    def at_end(self) -> bool:
        """Whether nothing but space is left."""
        self.scanner.skip_space()
        return self.scanner.done

    def rest(self) -> str:
        """The beginning of what is left, for messages."""
        return self.scanner.text[self.scanner.pos :][:40]

    def skip_to_connective(self) -> None:
        """Go on to where the next operand may begin."""
        while not self.at_end():
            if self.scanner.peek("&&", "||", ")") or KEYWORD.match(
                self.scanner.text, self.scanner.pos
            ):
                return
            if self.scanner.take_string() is None and not self.scanner.take_pattern(WORD):
                self.scanner.pos += 1

    def note(
        self,
        code: str,
        message: str,
        *,
        at: int | None = None,
        value: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Record a problem and read on."""
        self.problems.append(
            self.scanner.problem(code, message, at=at, value=value, expected=expected, hint=hint)
        )

    def refusal(
        self,
        code: str,
        message: str,
        *,
        at: int | None = None,
        value: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> Skip:
        """Record a problem, for `raise`: what follows cannot be read."""
        self.note(code, message, at=at, value=value, expected=expected, hint=hint)
        return Skip()
