"""What a command is once it is read: texts, and holes where values go."""

from __future__ import annotations

from enum import Enum, auto
from typing import TypeAlias

from attrs import define, field

from anabranch.expressions.templates import Reference


class Write(Enum):
    """How a reference is written where it stands."""

    WORDS = auto()
    """`"${v}"`, a list as one word for each element."""
    QUOTED = auto()
    """`"${v}"`, always one."""
    INSIDE = auto()
    """`${v}`: there are double quotes around it."""
    SPLICED = auto()
    """`'"${v}"'`: there are single quotes around it."""
    DIGITS = auto()
    """The number itself."""
    NOWHERE = auto()
    """Not at all: refused."""


@define(eq=False)
class Hole:
    """A place in a command where a value goes.

    Attributes:
        reference: what goes there.
        write: how it is written.
        single: why only one word fits; empty if a list may be several.
        numeric: whether the shell will take it as a number; known only once more was read.
        declared: whether `declare` assigns it, which takes a text in parentheses as an array.
    """

    reference: Reference
    write: Write
    single: str = field(default="", kw_only=True)
    numeric: bool = field(default=False, kw_only=True)
    declared: bool = field(default=False, kw_only=True)


Piece: TypeAlias = "str | Hole"
