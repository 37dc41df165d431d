"""From the tree of a condition to a Python function, once.

A filter is asked once for each of a million items, so it is one flat Python expression and not
a walk over a tree. The expression's text is put together from the fixed fragments below and
from names made here; what the user wrote enters as *values* bound to those names, never as text.

A tree compiles in three ways that agree: for items that are plain dictionaries (fields are
read with `dict.get`, which gives null for what is missing: comparisons do not tell the two
apart), for any other item, and for a scope of variables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final, TypeAlias, cast

from attrs import frozen

from anabranch.expressions.comparing import COMPARE, equal, kind_of_order, member
from anabranch.expressions.functions import FUNCTIONS, Function, length, truthy
from anabranch.expressions.paths import MISSING, FieldPath, step
from anabranch.expressions.scopes import lookup
from anabranch.expressions.tree import (
    And,
    Call,
    Compare,
    Comparison,
    Exists,
    Length,
    Literal,
    Membership,
    Node,
    Not,
    Operand,
    Or,
    Scalar,
    Truthy,
)
from anabranch.values import Json

_Constant: TypeAlias = "Scalar | tuple[Scalar, ...]"
_FLIPPED: Final = {
    Comparison.EQ: Comparison.EQ,
    Comparison.NE: Comparison.NE,
    Comparison.LT: Comparison.GT,
    Comparison.LE: Comparison.GE,
    Comparison.GT: Comparison.LT,
    Comparison.GE: Comparison.LE,
}
_SPELT_OUT: Final = 4


def item_predicate(root: Node) -> Callable[[Json], bool]:
    """The function of one item that says whether it matches."""
    code = _Code()
    fast = _node(code, root, _DICT)
    slow = _node(code, root, _ITEM)
    return code.function(f"({fast}) if x.__class__ is dict else ({slow})")


def scope_predicate(root: Node) -> Callable[[Mapping[str, Json]], bool]:
    """The function of a scope of variables that says whether the condition holds."""
    code = _Code()
    return code.function(_node(code, root, _SCOPE))


class _Code:
    """The values that the expression's names stand for."""

    def __init__(self) -> None:
        self._numbers = count()
        self._names: dict[str, object] = {}

    def bind(self, value: object) -> str:
        """A new name for a value."""
        name = self.local()
        self._names[name] = value
        return name

    def local(self) -> str:
        """A new name for `:=`."""
        return f"v{next(self._numbers)}"

    def function(self, expression: str) -> Callable[[Any], bool]:
        """The function of `x` that an expression made of these names is."""
        compiled = compile(f"lambda x: {expression}", "<condition>", "eval")
        # The text holds only this module's fragments and the names it made.
        return cast("Callable[[Any], bool]", eval(compiled, self._names))  # noqa: S307


# --- how a path is read --------------------------------------------------------------------------

_Read: TypeAlias = Callable[[_Code, FieldPath], str]


@frozen
class _Reader:
    """`value` may give null for what is missing, `exact` gives `MISSING`."""

    value: _Read
    exact: _Read


def _field(code: _Code, path: FieldPath) -> str:
    return f"{code.bind(path.get)}(x)"


def _variable(code: _Code, path: FieldPath) -> str:
    return f"{code.bind(lookup)}(x, {code.bind(path)})"


def _field_of_dict(code: _Code, path: FieldPath) -> str:
    """Names into dictionaries, spelt out; whatever else, by the path's own function."""
    names = [key for key in path.keys if isinstance(key, str)]
    if not 0 < len(path.keys) == len(names) <= _SPELT_OUT:
        return _field(code, path)
    head, *rest = names
    text = f"x.get({code.bind(head)})"
    for name in rest:
        outer, key, other = code.local(), code.bind(name), code.bind(step)
        text = (
            f"({outer}.get({key}) if ({outer} := {text}).__class__ is dict"
            f" else {other}({outer}, {key}))"
        )
    return text


_DICT: Final = _Reader(_field_of_dict, _field)
_ITEM: Final = _Reader(_field, _field)
_SCOPE: Final = _Reader(_variable, _variable)


def _value(code: _Code, operand: Operand, reader: _Reader) -> str:
    match operand:
        case FieldPath():
            return reader.value(code, operand)
        case Literal(value):
            return code.bind(value)
        case Length(path):
            return f"{code.bind(length)}({reader.value(code, path)})"
        case Exists(path):
            return f"({reader.exact(code, path)} is not {code.bind(MISSING)})"


# --- predicates ----------------------------------------------------------------------------------


def _node(code: _Code, node: Node, reader: _Reader) -> str:
    match node:
        case And(operands):
            return _joined(" and ", code, operands, reader)
        case Or(operands):
            return _joined(" or ", code, operands, reader)
        case Not(operand):
            return f"(not {_node(code, operand, reader)})"
        case _:
            return _predicate(code, node, reader)


def _predicate(code: _Code, node: Truthy | Compare | Membership | Call, reader: _Reader) -> str:
    match node:
        case Truthy(operand):
            return f"{code.bind(truthy)}({_value(code, operand, reader)})"
        case Compare():
            return _comparison(code, node, reader)
        case Membership(left, right):
            return _membership(code, left, right, reader)
        case Call(name, arguments):
            return _call(code, FUNCTIONS[name], arguments, reader)


def _joined(word: str, code: _Code, operands: tuple[Node, ...], reader: _Reader) -> str:
    return "(" + word.join(_node(code, operand, reader) for operand in operands) + ")"


def _comparison(code: _Code, node: Compare, reader: _Reader) -> str:
    """A comparison with a literal is spelt out for the literal's type."""
    left, op, right = node.left, node.op, node.right
    if isinstance(left, Literal) and not isinstance(right, Literal):
        left, op, right = right, _FLIPPED[op], left
    value = _value(code, left, reader)
    if not isinstance(right, Literal) or isinstance(left, Literal) or right.value == ():
        return f"{code.bind(COMPARE[op])}({value}, {_value(code, right, reader)})"
    if op is Comparison.EQ:
        return _equality(code, value, right.value)
    if op is Comparison.NE:
        return f"(not {_equality(code, value, right.value)})"
    return _order(code, value, op, right.value)


def _equality(code: _Code, value: str, literal: _Constant) -> str:
    match literal:
        case None:
            name = code.local()
            return f"(({name} := {value}) is None or {name} is {code.bind(MISSING)})"
        case bool():
            return f"({value} is {literal})"
        case str():
            return f"({value} == {code.bind(literal)})"
        case int() | float():
            name = code.local()
            return f"(({name} := {value}) == {code.bind(literal)} and {name}.__class__ is not bool)"
        case _:
            return f"{code.bind(equal)}({value}, {code.bind(literal)})"


def _order(code: _Code, value: str, op: Comparison, literal: _Constant) -> str:
    name, other = code.local(), code.bind(literal)
    match literal:
        case str():
            classes = f"({name} := {value}).__class__ is str or isinstance({name}, str)"
        case int() | float() if not isinstance(literal, bool):
            orderly = code.bind(kind_of_order)
            classes = (
                f"({name} := {value}).__class__ is int or {name}.__class__ is float"
                f" or {orderly}({name}) is float"
            )
        case _:
            return "False"
    return f"(({classes}) and {name} {op} {other})"


def _membership(code: _Code, left: Operand, right: Operand, reader: _Reader) -> str:
    options = right.value if isinstance(right, Literal) else None
    if isinstance(options, tuple) and all(isinstance(option, str) for option in options):
        name, strings = code.local(), code.bind(frozenset(options))
        return f"(isinstance({name} := {_value(code, left, reader)}, str) and {name} in {strings})"
    exact = _Reader(reader.exact, reader.exact)
    return f"{code.bind(member)}({_value(code, left, exact)}, {_value(code, right, exact)})"


def _call(code: _Code, function: Function, arguments: tuple[Operand, ...], reader: _Reader) -> str:
    *others, last = arguments
    values = [_value(code, argument, reader) for argument in others]
    if isinstance(last, Literal):
        values.append(code.bind(function.prepare(last.value)))
    else:
        values.append(_value(code, last, reader))
    return f"{code.bind(function.apply)}({', '.join(values)})"
