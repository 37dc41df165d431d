"""The command being read and the script being written, side by side."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from anabranch.expressions.templates import TemplateReader
from anabranch.values import ConfigError, Location, Problem

_DEEPEST: Final = 40


class Tape:
    """A text, a place in it, and what was written so far. Mutable, and private to one compilation.

    Attributes:
        text: the command.
        pos: the next character to read.
        stop: where this reader ends.
        out: the pieces of the script.
        outer: the place of this text in the one around it, for what is read from a copy.
        depth: how many constructs are open around this place.
    """

    __slots__ = ("depth", "out", "outer", "pos", "reader", "stop", "text")

    def __init__(self, text: str, outer: Location | None = None, depth: int = 0) -> None:
        self.text = text
        self.pos = 0
        self.stop = len(text)
        self.out: list[str] = []
        self.outer = outer
        self.depth = depth
        self.reader = TemplateReader(text, shell=True)

    @property
    def done(self) -> bool:
        """Whether all is read."""
        return self.pos >= self.stop

    def at(self, *prefixes: str) -> bool:
        """Whether one of the prefixes stands here."""
        return self.text.startswith(prefixes, self.pos, self.stop)

    def match(self, pattern: re.Pattern[str]) -> str | None:
        """What the pattern matches here, without moving."""
        found = pattern.match(self.text, self.pos, self.stop)
        return None if found is None else found[0]

    def copy(self, count: int = 1) -> None:
        """Take characters over as they are."""
        end = min(self.pos + count, self.stop)
        self.out.append(self.text[self.pos : end])
        self.pos = end

    def copy_match(self, pattern: re.Pattern[str]) -> str:
        """Take over what the pattern matches here, and say what it was."""
        found = self.match(pattern) or ""
        self.copy(len(found))
        return found

    def put(self, text: str) -> None:
        """Write something that is not in the command."""
        self.out.append(text)

    def since(self, start: int) -> str:
        """What was read since an offset."""
        return self.text[start : self.pos]

    @contextmanager
    def deeper(self) -> Generator[None]:
        """One construct inside another, within reason."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.refusal(f"more than {_DEEPEST} constructs inside one another")
        yield
        self.depth -= 1

    def where(self, offset: int | None = None) -> Location:
        """The place of an offset, by default of this one."""
        if self.outer is not None:
            return self.outer
        return self.reader.where(self.pos if offset is None else offset)

    def refusal(
        self, message: str, *, at: int | None = None, hint: str | None = None
    ) -> ConfigError:
        """The error that says that this command cannot be read with certainty."""
        offset = self.pos if at is None else at
        return ConfigError(
            Problem(
                code="unclear-shell",
                message=message,
                where=self.where(offset),
                value=self.text[offset : min(offset + 40, self.stop)].partition("\n")[0] or None,
                hint=hint,
            )
        )
