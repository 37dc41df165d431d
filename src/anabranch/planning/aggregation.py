"""Aggregation: the results of many agents into one value.

    kind        of values            answer; for no values
    count       any                  how many are not null; 0
    sum         numbers              the sum; 0
    min, max    numbers, or texts    the smallest or largest, of equals the first; null
    average     numbers              the arithmetic mean; null
    median      numbers              the middle, or the mean of the two in the middle; null
    variance    numbers              of the population, not of a sample; null
    std_dev     numbers              the square root of the variance; null
    collect     any                  an array of all; []
    unique      any                  an array of the first of each; []
    concat      texts                one text; ""
    merge       objects              one object, of equal names the first stays; {}
    flatten     arrays               one array of their elements; []
    sort        any                  an array in the order of `order`; []
    group_by    any                  an object of arrays, by the text at `by`; {}

Results come in the order of the agents, which is what an answer shows whose values keep an
order. How the answers are computed, and why in any grouping, is in `monoids`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from attrs import field, frozen

from anabranch.expressions import FieldPath, Missing, parse_path
from anabranch.planning import monoids
from anabranch.planning.checks import deferred, refusals, refuse
from anabranch.planning.monoids import Monoid, grouping_monoid, sorting_monoid
from anabranch.planning.sorting import SortKey, parse_sort
from anabranch.values import Json, Location, Problem, RunError

_SHOWN: Final = 60


class AggregateKind(StrEnum):
    """What to make of the values."""

    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    AVERAGE = "average"
    MEDIAN = "median"
    VARIANCE = "variance"
    STD_DEV = "std_dev"
    COLLECT = "collect"
    UNIQUE = "unique"
    CONCAT = "concat"
    MERGE = "merge"
    FLATTEN = "flatten"
    SORT = "sort"
    GROUP_BY = "group_by"


_SIMPLE: Final[Mapping[AggregateKind, Monoid[Any]]] = {
    AggregateKind.COUNT: monoids.COUNT,
    AggregateKind.SUM: monoids.SUM,
    AggregateKind.MIN: monoids.MIN,
    AggregateKind.MAX: monoids.MAX,
    AggregateKind.AVERAGE: monoids.AVERAGE,
    AggregateKind.MEDIAN: monoids.MEDIAN,
    AggregateKind.VARIANCE: monoids.VARIANCE,
    AggregateKind.STD_DEV: monoids.STD_DEV,
    AggregateKind.COLLECT: monoids.COLLECT,
    AggregateKind.UNIQUE: monoids.UNIQUE,
    AggregateKind.CONCAT: monoids.CONCAT,
    AggregateKind.MERGE: monoids.MERGE,
    AggregateKind.FLATTEN: monoids.FLATTEN,
}
_ITSELF: Final = FieldPath(())


def _path(value: str | FieldPath) -> FieldPath:
    return deferred("path", parse_path, value) if isinstance(value, str) else value


def _by(value: str | FieldPath | None) -> FieldPath | None:
    return deferred("by", parse_path, value) if isinstance(value, str) else value


def _order(value: str | Iterable[SortKey]) -> tuple[SortKey, ...]:
    return deferred("order", parse_sort, value) if isinstance(value, str) else tuple(value)


@frozen(kw_only=True)
class Aggregation:
    """What to compute from the results of agents. What can be text may be text or parsed.

    Attributes:
        kind: what to make of the values.
        path: where the value is in a result; the whole result by default.
        by: where in a value is what `group_by` groups by.
        order: the order that `sort` brings values into; their own by default.

    Raises:
        ConfigError: `group_by` without `by`; `by` or `order` for a kind that has no use for it.

    >>> best = Aggregation(kind=AggregateKind.MAX, path="score")
    >>> aggregate(best, [("agent-0", {"score": 3}), ("agent-1", {"score": 7})])
    7
    """

    kind: AggregateKind
    path: FieldPath = field(default=_ITSELF, converter=_path)
    by: FieldPath | None = field(default=None, converter=_by)
    order: tuple[SortKey, ...] = field(default=(), converter=_order)

    def __attrs_post_init__(self) -> None:
        refuse([*refusals(self), *_misfits(self)])

    @property
    def monoid(self) -> Monoid[Any]:
        """How it is computed, piece by piece if need be."""
        if self.by is not None:
            return grouping_monoid(self.by)
        if self.kind is AggregateKind.SORT:
            return sorting_monoid(self.order or (SortKey(path=_ITSELF),))
        return _SIMPLE[self.kind]


def _misfits(aggregation: Aggregation) -> Iterator[Problem]:
    groups = aggregation.kind is AggregateKind.GROUP_BY
    if groups and aggregation.by is None:
        yield _misfit("by", "`group_by` needs a field to group by")
    if not groups and aggregation.by is not None:
        yield _misfit("by", f"`{aggregation.kind}` does not group")
    if aggregation.kind is not AggregateKind.SORT and aggregation.order:
        yield _misfit("order", f"`{aggregation.kind}` does not sort")


def _misfit(name: str, message: str) -> Problem:
    return Problem(code="bad-aggregation", message=message, where=Location(path=name))


def aggregate(aggregation: Aggregation, results: Iterable[tuple[str, Json]]) -> Json:
    """Compute one value from the results of agents.

    Args:
        aggregation: what to compute.
        results: the name of each agent and its result, in agent order.

    Raises:
        RunError: every result in which the value is missing or cannot be used, with the agent
            and the path.

    >>> total = Aggregation(kind=AggregateKind.SUM, path="cost")
    >>> aggregate(total, [("agent-0", {"cost": 1}), ("agent-1", {"cost": "2"}), ("agent-2", {})])
    Traceback (most recent call last):
    anabranch.values.errors.RunError: agent-1.cost: a value that `sum` cannot use: '2'
      expected: a number
    agent-2.cost: nothing is there
      expected: a number
    """
    found = [(agent, aggregation.path.get(result)) for agent, result in results]
    monoid = aggregation.monoid
    problems = tuple(_mismatches(aggregation, monoid, found))
    if problems:
        raise RunError(*problems)
    return monoid.finish(monoid.fold(value for _, value in found if not isinstance(value, Missing)))


def _mismatches(
    aggregation: Aggregation, monoid: Monoid[Any], found: Sequence[tuple[str, Json | Missing]]
) -> Iterator[Problem]:
    first = ""
    for agent, value in found:
        if isinstance(value, Missing):
            if aggregation.kind is not AggregateKind.COUNT:
                yield _mismatch(aggregation, agent, "nothing is there", monoid.expected)
        elif not monoid.accepts(value):
            message = f"a value that `{aggregation.kind}` cannot use"
            yield _mismatch(aggregation, agent, message, monoid.expected, value)
        elif monoid.kind(value) != (first := first or monoid.kind(value)):
            yield _mismatch(aggregation, agent, "of another kind than the first", first, value)


def _mismatch(
    aggregation: Aggregation, agent: str, message: str, expected: str, *value: Json
) -> Problem:
    path = f"{agent}.{aggregation.path}" if aggregation.path.keys else agent
    shown = repr(value[0])[:_SHOWN] if value else None
    where = Location(path=path)
    return Problem(code="mismatch", message=message, where=where, value=shown, expected=expected)
