"""The order of a graph of effects, worked out once, when the effect is made."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from attrs import frozen

from anabranch.values import Problem, UsageError

K = TypeVar("K", bound=Hashable)


@frozen(kw_only=True)
class GraphPlan(Generic[K]):
    """Who waits for whom, and who goes first.

    Attributes:
        dependents: the keys that wait for each key.
        missing: how many keys each key waits for.
        ranks: 0 starts first, among those that may start; in the order of the ranks.
    """

    dependents: Mapping[K, Sequence[K]]
    missing: Mapping[K, int]
    ranks: Mapping[K, int]


def plan_graph(
    keys: Iterable[K],
    dependencies: Mapping[K, Iterable[K]],
    priority: Mapping[K, float] | None = None,
) -> GraphPlan[K]:
    """Plan a graph in time linear in its keys and edges (and one sort).

    Raises:
        UsageError: unknown keys and cycles, all at once.

    >>> plan_graph("abc", {"c": "ab"}).ranks
    {'a': 0, 'b': 1, 'c': 2}
    """
    needs = {key: tuple(dict.fromkeys(dependencies.get(key, ()))) for key in keys}
    missing = {key: len(wanted) for key, wanted in needs.items()}
    if problems := _unknown(needs, dependencies):
        raise UsageError(*problems)
    dependents: dict[K, list[K]] = {key: [] for key in needs}
    for key, wanted in needs.items():
        for other in wanted:
            dependents[other].append(key)
    order = _topological(missing, dependents)
    if len(order) < len(needs):
        raise UsageError(_cycle(needs, set(order)))
    urgency = _lengths(order, needs) if priority is None else _given(priority, needs)
    first = sorted(needs, key=urgency.__getitem__, reverse=True)
    return GraphPlan(
        dependents=dependents,
        missing=missing,
        ranks={key: rank for rank, key in enumerate(first)},
    )


def _unknown(needs: Mapping[K, tuple[K, ...]], named: Mapping[K, Iterable[K]]) -> list[Problem]:
    if needs.keys() >= named.keys() and needs.keys() >= set[K]().union(*needs.values()):
        return []
    strangers = [key for key in named if key not in needs]
    strangers += [key for wanted in needs.values() for key in wanted if key not in needs]
    return [
        Problem(code="unknown-key", message="dependency on an unknown effect", value=repr(key))
        for key in dict.fromkeys(strangers)
    ]


def _topological(missing: Mapping[K, int], dependents: Mapping[K, list[K]]) -> list[K]:
    """Kahn's algorithm; what is on or behind a cycle is left out."""
    left = dict(missing)
    order = [key for key, count in left.items() if not count]
    for key in order:
        for dependent in dependents[key]:
            count = left[dependent] = left[dependent] - 1
            if not count:
                order.append(dependent)
    return order


def _cycle(needs: Mapping[K, tuple[K, ...]], sound: set[K]) -> Problem:
    """Follow what is not sound backwards until a key comes up again."""
    key = next(key for key in needs if key not in sound)
    trail: dict[K, None] = {}
    while key not in trail:
        trail[key] = None
        key = next(other for other in needs[key] if other not in sound)
    path = list(trail)
    circle = [*path[path.index(key) :], key]
    return Problem(
        code="cycle", message="effects wait for each other", value=" → ".join(map(repr, circle))
    )


def _lengths(order: list[K], needs: Mapping[K, tuple[K, ...]]) -> dict[K, float]:
    """How many effects lie on the longest way from each key to the end."""
    lengths: dict[K, float] = dict.fromkeys(order, 1)
    for key in reversed(order):
        longer = lengths[key] + 1
        for other in needs[key]:
            if lengths[other] < longer:  # noqa: PLR1730 (`max` costs three times as much)
                lengths[other] = longer
    return lengths


def _given(priority: Mapping[K, float], keys: Iterable[K]) -> dict[K, float]:
    """What the caller finds urgent; the rest can wait."""
    return {key: priority.get(key, 0) for key in keys}
