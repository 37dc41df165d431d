"""How two JSON values compare: numbers with numbers, strings with strings, never across types."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from anabranch.expressions.paths import MISSING, Missing
from anabranch.expressions.tree import Comparison
from anabranch.values import Json


def equal(left: Json | Missing, right: Json | Missing) -> bool:
    """Equality of JSON: `42 == 42.0`, `true != 1`; a missing value equals null.

    >>> equal(42, 42.0), equal(True, 1), equal([1, {"a": None}], [1.0, {"a": None}])
    (True, False, True)
    """
    pairs = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        inner = _inner_pairs(one, other)
        if inner is None:
            return False
        pairs.extend(inner)
    return True


_Pairs: TypeAlias = "Iterable[tuple[Json | Missing, Json | Missing]]"


def _inner_pairs(one: Json | Missing, other: Json | Missing) -> _Pairs | None:
    """The pairs that must be equal for two values to be; `None` if they are not anyway."""
    match one, other:
        case (None | Missing.MISSING, _):
            return () if other is None or other is MISSING else None
        case (bool() | str(), _) | (_, bool() | str()):
            return () if type(one) is type(other) and one == other else None
        case (Mapping(), Mapping()):
            return [(one[k], other[k]) for k in one] if one.keys() == other.keys() else None
        case (Sequence(), Sequence()):
            return list(zip(one, other, strict=True)) if len(one) == len(other) else None
        case _:
            return () if one == other else None


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
