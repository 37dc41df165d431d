"""When two JSON values are the same, and which of two comes first.

Numbers are one kind: `1`, `1.0` and `1e0` are the same, and an integer is compared with a float
exactly. Booleans are no numbers. The kinds follow one another: false and true, numbers (NaN,
which JSON does not know but Python does, after all others), strings by code point, arrays by
length, objects by length. Arrays of equal length are not told apart by order, nor are objects.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeAlias

from anabranch.values import Json

OrderKey: TypeAlias = tuple[int, float | str]
"""Compares with any other as the values do."""


def order_key(value: Json) -> OrderKey:
    """A key for sorting values of different kinds; null is for the caller to place.

    >>> sorted([[1], "b", 10, "a", {}, 2.5, True], key=order_key)
    [True, 2.5, 10, 'a', 'b', [1], {}]
    """
    match value:
        case bool():
            return (1, value)
        case int() | float():
            return (2, value) if value == value else (3, 0)  # noqa: PLR0124 - NaN is not itself
        case str():
            return (4, value)
        case None:
            return (0, 0)
        case Mapping():
            return (6, len(value))
        case _:
            return (5, len(value))


def identity_key(value: Json) -> Hashable:
    """A hashable stand-in: two values have equal keys exactly if they are the same JSON.

    It is flat, however deep the value: each array and object is told by its length or its names,
    followed by what is in it.

    >>> identity_key({"a": [1, True]}) == identity_key({"a": [1.0, True]})
    True
    >>> identity_key(True) == identity_key(1)
    False
    """
    if not isinstance(value, Mapping | list | tuple):
        return _scalar_key(value)
    tokens: list[Hashable] = []
    left: list[Json] = [value]
    while left:
        match left.pop():
            case Mapping() as found:
                names = sorted(found)
                tokens.append((dict, *names))
                left += (found[name] for name in reversed(names))
            case list() | tuple() as found:
                tokens.append((list, len(found)))
                left += reversed(found)
            case found:
                tokens.append(_scalar_key(found))
    return tuple(tokens)


def _scalar_key(value: Json) -> Hashable:
    match value:
        case bool():
            return (bool, value)
        case int() | float():
            return value if value == value else (float, "nan")  # noqa: PLR0124 - NaN is not itself
        case str() | None:
            return value
        case _:
            return repr(value)
