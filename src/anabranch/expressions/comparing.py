"""How two JSON values compare: numbers with numbers, strings with strings, never across types."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from anabranch.expressions.paths import MISSING, Missing
from anabranch.expressions.tree import Comparison
from anabranch.values import Json


def equal(left: Json | Missing, right: Json | Missing) -> bool:
    """Equality of JSON: `42 == 42.0`, `true != 1`; a missing value equals null.

    >>> equal(42, 42.0), equal(True, 1), equal([1, {"a": None}], [1.0, {"a": None}])
    (True, False, True)
    """
    match left, right:
        case (None | Missing.MISSING, _):
            return right is None or right is MISSING
        case (bool(), _) | (_, bool()):
            return left is right
        case (str(), _) | (_, str()):
            return left == right
        case Mapping(), Mapping():
            return left.keys() == right.keys() and all(equal(left[k], right[k]) for k in left)
        case Sequence(), Sequence():
            return len(left) == len(right) and all(map(equal, left, right))
        case _:
            return left == right


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Json | Missing, Json | Missing], bool]:
    def compare(left: Json | Missing, right: Json | Missing) -> bool:
        return kind_of_order(left) is kind_of_order(right) is not None and test(left, right)

    return compare


def kind_of_order(value: Json | Missing) -> type | None:
    """Which values this one can be ordered with: numbers, strings (by code point), or none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float
    return str if isinstance(value, str) else None


def _unequal(left: Json | Missing, right: Json | Missing) -> bool:
    return not equal(left, right)


COMPARE: Final = {
    Comparison.EQ: equal,
    Comparison.NE: _unequal,
    Comparison.LT: _ordered(operator.lt),
    Comparison.LE: _ordered(operator.le),
    Comparison.GT: _ordered(operator.gt),
    Comparison.GE: _ordered(operator.ge),
}
"""What each comparison operator does, for any two values."""


def member(value: Json | Missing, options: Json | Missing) -> bool:
    """Whether a value equals an element of an array; what is missing is in nothing.

    >>> member(2, ["2", 2.0]), member(None, [None]), member(MISSING, [None])
    (True, True, False)
    """
    if value is MISSING or isinstance(options, str) or not isinstance(options, Sequence):
        return False
    return any(equal(value, option) for option in options)
