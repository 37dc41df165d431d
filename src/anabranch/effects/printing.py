"""Looking at effects without running them: text, equality, hash, pickling.

A chain of a million steps is a million nodes deep, so nothing here recurses along the
spine (`source`). Values inside a node are compared and shown by their own means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sized
from functools import partial
from typing import Any

from anabranch.effects.core import Effect, Par

AnEffect = Effect[Any, Any, Any]

_SHOWN = 12

_kind_of: Callable[[Any], object] = type
"""The class of a value, without what checkers would conclude from it."""


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
    pairs: list[tuple[Any, Any]] = [(left, right)]
    while pairs:
        one, two = pairs.pop()
        while one is not two:
            if type(one) is not type(two) or not _alike(one, two, pairs):
                return False
            one, two = _source(one), _source(two)
    return True


def _source(node: Any) -> Any:
    return getattr(node, "source", None)


def _alike(one: AnEffect, two: AnEffect, pairs: list[tuple[Any, Any]]) -> bool:
    """Whether two nodes are alike, but for pairs of effects that are still to be compared."""
    if not isinstance(one, Par) or not isinstance(two, Par):
        return _fields(one) == _fields(two)
    first, second = _recipe(one.schedule), _recipe(two.schedule)
    if one.limit != two.limit or len(first) != len(second):
        return False
    for this, that in zip(first, second, strict=True):
        both = all(isinstance(each, Effect) for each in (this, that))
        if both:
            pairs.append((this, that))
        elif this != that:
            return False
    return True


def _recipe(schedule: Any) -> list[Any]:
    """What a schedule is made of, in one list."""
    kind = _kind_of(schedule)
    if kind is not partial:
        return [schedule]
    return [schedule.func, *(each for value in schedule.args for each in _elements(value))]


def _elements(value: Any) -> list[Any]:
    kind = _kind_of(value)
    if kind is dict:
        return [kind, *value, *value.values()]
    return [kind, *value] if kind is list or kind is tuple else [value]


def digest(effect: AnEffect) -> int:
    """A hash that agrees with `same`. Raises `TypeError` if a value inside has none."""
    result = 0
    for node in _spine(effect):
        inside = (node.limit,) if isinstance(node, Par) else _fields(node)
        result = hash((result, type(node), inside))
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
    if type(value) is partial:
        return _made_by(value)
    if callable(value) and hasattr(value, "__qualname__"):
        return str(value.__qualname__).rpartition("<locals>.")[2]
    return repr(value)


def _made_by(schedule: Any) -> str:
    """What a group does, and with how many effects, if that is known; not each of them."""
    first: object = schedule.args[0] if schedule.args else None
    name = getattr(schedule.func, "__name__", "").lower()
    return f"{name} of {len(first)}" if isinstance(first, Sized) else name


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
