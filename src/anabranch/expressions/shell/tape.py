"""The command being read and the script being written, side by side."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from attrs import evolve

from anabranch.expressions.shell.holes import Hole, Piece
from anabranch.expressions.templates import Reference, TemplateReader
from anabranch.values import ConfigError, Location, Problem

UNCLEAR: Final = "unclear-shell"
UNCLOSED: Final = "unclosed-quote"
"""The code of the one problem at which every shell stops that reads so far."""

_DEEPEST: Final = 40


class Tape:
    """A text, a place in it, and what was written so far. Mutable, and private to one reading.

    Attributes:
        text: the command.
        pos: the next character to read.
        stop: where this reader ends.
        out: the pieces of the script.
        problems: the references that stand where no value can.
    """

    __slots__ = (
        "_depth",
        "_is_ours",
        "_outer",
        "_reader",
        "out",
        "pos",
        "problems",
        "stop",
        "text",
    )

    def __init__(self, text: str, is_ours: Callable[[Reference], bool]) -> None:
        self.text = text
        self.pos = 0
        self.stop = len(text)
        self.out: list[Piece] = []
        self.problems: list[Problem] = []
        self._is_ours = is_ours
        self._outer: Location | None = None
        self._depth = 0
        self._reader = TemplateReader(text, shell=True)

    def inner(self, text: str, at: int) -> Tape:
        """The tape of a text that was copied out of this one, from an offset."""
        tape = Tape(text, self._is_ours)
        tape.problems, tape._depth, tape._outer = self.problems, self._depth, self.where(at)
        return tape

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

    def put(self, *pieces: Piece) -> None:
        """Write something that is not in the command."""
        self.out.extend(pieces)

    def take_reference(self) -> Reference | None:
        """The reference of ours that starts here, moving past it; `None` if there is none."""
        if not self.at("${", "{{"):
            return None
        found = self._reader.reference(self.pos)
        if found is None or self.pos + len(found.raw) > self.stop or not self._is_ours(found):
            return None
        placed = evolve(found, where=self.where())
        self.pos += len(found.raw)
        return placed

    def since(self, start: int) -> str:
        """What was read since an offset."""
        return self.text[start : self.pos]

    @contextmanager
    def deeper(self) -> Generator[None]:
        """One construct inside another, within reason."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self.refusal(f"more than {_DEEPEST} constructs inside one another")
        yield
        self._depth -= 1

    def where(self, offset: int | None = None) -> Location:
        """The place of an offset, by default of this one."""
        if self._outer is not None:
            return self._outer
        return self._reader.where(self.pos if offset is None else offset)

    def note(self, hole: Hole, code: str, message: str, *, hint: str | None = None) -> None:
        """Record that a reference stands where no value can."""
        reference = hole.reference
        self.problems.append(
            Problem(
                code=code, message=message, where=reference.where, value=reference.raw, hint=hint
            )
        )

    def refusal(
        self,
        message: str,
        *,
        at: int | None = None,
        hint: str | None = None,
        code: str = UNCLEAR,
    ) -> ConfigError:
        """The error that says that this command cannot be read with certainty."""
        offset = self.pos if at is None else at
        return ConfigError(
            Problem(
                # What a shell reads only when it gets there, it may never read.
                code=code if self._outer is None else UNCLEAR,
                message=message,
                where=self.where(offset),
                value=self.text[offset : min(offset + 40, self.stop)].partition("\n")[0] or None,
                hint=hint,
            )
        )
