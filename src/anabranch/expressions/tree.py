"""The tree of a condition, and how it is written.

Operands are paths, literals, lengths and questions of existence; predicates compare them and
are joined by `not`, `and`, `or`. Law: the text of a tree parses to the same tree, so a plan
can be saved, shown and diffed as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TypeAlias

from attrs import field, frozen

from anabranch.expressions.paths import FieldPath
from anabranch.expressions.scanner import quote

Scalar: TypeAlias = "bool | int | float | str | None"


class Comparison(StrEnum):
    """The comparison operators."""

    EQ = "=="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


def _typed(value: Scalar | tuple[Scalar, ...]) -> object:
    """What equality of literals looks at: `1`, `1.0` and `true` are three literals."""
    return tuple(map(_typed, value)) if isinstance(value, tuple) else (type(value), repr(value))


@frozen
class Literal:
    """A value written in the condition; a tuple is a list of scalars."""

    value: Scalar | tuple[Scalar, ...] = field(eq=_typed)

    def __str__(self) -> str:
        """The literal in the language's notation."""
        if isinstance(self.value, tuple):
            return "[" + ", ".join(map(_scalar, self.value)) + "]"
        return _scalar(self.value)


def _scalar(value: Scalar) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return quote(value)
        case _:
            return repr(value)


@frozen
class Length:
    """How many characters, elements or fields the value at a path has."""

    path: FieldPath

    def __str__(self) -> str:
        """`length(path)`."""
        return f"length({self.path})"


@frozen
class Exists:
    """Whether there is anything at a path, be it null."""

    path: FieldPath

    def __str__(self) -> str:
        """`path.exists`."""
        return f"{self.path}.exists"


Operand: TypeAlias = "FieldPath | Literal | Length | Exists"


@frozen
class Truthy:
    """An operand that stands alone: not missing, null, false, zero, empty, `'false'` or `'0'`."""

    operand: Operand

    def __str__(self) -> str:
        """The operand."""
        return str(self.operand)


@frozen
class Compare:
    """Two operands and a comparison; false across types, except `!=`."""

    left: Operand
    op: Comparison
    right: Operand

    def __str__(self) -> str:
        """`left op right`."""
        return f"{self.left} {self.op} {_right(self.right)}"


@frozen
class Membership:
    """Whether the left operand equals an element of the list on the right."""

    left: Operand
    right: Operand

    def __str__(self) -> str:
        """`left in right`."""
        return f"{self.left} in {_right(self.right)}"


@frozen
class Call:
    """A function of the language, such as `contains(path, text)`."""

    name: str
    arguments: tuple[Operand, ...]

    def __str__(self) -> str:
        """`name(first, second)`."""
        first, *rest = self.arguments
        return f"{self.name}({', '.join([str(first), *map(_right, rest)])})"


@frozen
class Not:
    """Negation."""

    operand: Node

    def __str__(self) -> str:
        """`!operand`, in parentheses where it is joined by `&&` or `||`."""
        return f"!{_grouped(self.operand, And, Or)}"


@frozen
class And:
    """All of them; binds tighter than `Or`."""

    operands: tuple[Node, ...]

    def __str__(self) -> str:
        """The operands joined by `&&`."""
        return " && ".join(_grouped(node, And, Or) for node in self.operands)


@frozen
class Or:
    """Any of them."""

    operands: tuple[Node, ...]

    def __str__(self) -> str:
        """The operands joined by `||`."""
        return " || ".join(_grouped(node, Or) for node in self.operands)


Node: TypeAlias = "Truthy | Compare | Membership | Call | Not | And | Or"


def _grouped(node: Node, *kinds: type[Node]) -> str:
    return f"({node})" if isinstance(node, kinds) else str(node)


def _right(operand: Operand) -> str:
    """On the right a bare word is a string, so a path is written as a reference."""
    return f"${{{operand}}}" if isinstance(operand, FieldPath | Exists) else str(operand)


def paths_in(part: Node | Operand) -> Iterator[FieldPath]:
    """Every path below a node, from left to right."""
    match part:
        case FieldPath():
            yield part
        case Literal():
            return
        case Length(path) | Exists(path):
            yield path
        case Not(operand) | Truthy(operand):
            yield from paths_in(operand)
        case Compare(left, _, right) | Membership(left, right):
            yield from (*paths_in(left), *paths_in(right))
        case And(operands) | Or(operands) | Call(_, operands):
            for operand in operands:
                yield from paths_in(operand)
