"""Looking at effects without running them: text, equality, hash, pickling.

A chain of a million steps is a million nodes deep, so nothing here recurses along the
spine (`source`). Values inside a node are compared and shown by their own means.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from anabranch.effects.core import Effect

AnEffect = Effect[Any, Any, Any]

_SHOWN = 12


def _spine(effect: AnEffect) -> Iterator[AnEffect]:
    """The effect, then what is inside it, down to the leaf."""
    node: AnEffect | None = effect
    while node is not None:
        yield node
        node = getattr(node, "source", None)


def _slots(node: AnEffect) -> tuple[str, ...]:
    """The names of a node's own fields, without the spine."""
    slots: Any = type(node).__slots__
    return tuple(name for name in slots if name != "source")


def _fields(node: AnEffect) -> tuple[Any, ...]:
    return tuple(getattr(node, name) for name in _slots(node))


def same(left: AnEffect, right: object) -> bool:
    """Whether two effects are the same nodes around equal values and the same functions."""
    one: Any = left
    two: Any = right
    while one is not two:
        if type(one) is not type(two) or _fields(one) != _fields(two):
            return False
        one, two = getattr(one, "source", None), getattr(two, "source", None)
    return True


def digest(effect: AnEffect) -> int:
    """A hash that agrees with `same`. Raises `TypeError` if a value inside has none."""
    result = 0
    for node in _spine(effect):
        result = hash((result, type(node), _fields(node)))
    return result


def describe(effect: AnEffect) -> str:
    """A short text: the leaf, then each step around it; a long chain is shortened.

    >>> from anabranch.effects import succeed
    >>> succeed(1).map(str).span("to text")
    <Effect succeed(1).map(str).label('to text')>
    """
    nodes = list(_spine(effect))[::-1]
    steps = [_step(node) for node in (nodes if len(nodes) <= _SHOWN else nodes[:2])]
    if len(nodes) > _SHOWN:
        rest = nodes[2 - _SHOWN :]
        steps += [f"<{len(nodes) - 2 - len(rest)} more>", *map(_step, rest)]
    return f"<Effect {'.'.join(steps)}>"


def _step(node: AnEffect) -> str:
    name = _NAMES.get(type(node).__name__, type(node).__name__.lower())
    values = (value for value in _fields(node) if value is not None and value is not False)
    shown = ", ".join(map(_value, values))
    return f"{name}({shown})"


def _value(value: object) -> str:
    if callable(value) and hasattr(value, "__qualname__"):
        return str(value.__qualname__).rpartition("<locals>.")[2]
    return repr(value)


_NAMES = {"Then": "and_then", "OrElse": "or_else", "MapError": "map_error"}

Parts = tuple[tuple[type[AnEffect], tuple[Any, ...]], ...]


def dismantle(effect: AnEffect) -> Parts:
    """The nodes of the spine as flat data, the leaf first."""
    return tuple((type(node), _fields(node)) for node in list(_spine(effect))[::-1])


def assemble(parts: Parts) -> AnEffect:
    """The effect that `dismantle` took apart."""
    result: AnEffect | None = None
    for kind, values in parts:
        node: AnEffect = object.__new__(kind)
        for name, value in zip(_slots(node), values, strict=True):
            setattr(node, name, value)
        if result is not None:
            setattr(node, "source", result)  # noqa: B010 (a slot that not every node has)
        result = node
    if result is None:
        raise ValueError("an effect has at least one node")
    return result
