"""Work planning: which items are worked on, in which order, by which agent.

The order is fixed: items of the document → filter → sort → distinct → offset → limit → assign.
Each stage is a function of its own; `plan_work_assignments` composes them. No clock, no
chance, no order of a set: the same items and settings give the same plan, always.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, cast

from attrs import field, frozen

from anabranch.expressions import Condition, FieldPath, Missing, parse_condition, parse_path
from anabranch.planning.checks import at_least, deferred, refusals, refuse
from anabranch.planning.json_order import identity_key
from anabranch.planning.json_path import JsonPath, select_items
from anabranch.planning.sorting import SortKey, parse_sort, sort_items
from anabranch.values import Json

DEFAULT_MAX_PARALLEL: Final = 10


def _json_path(value: str | JsonPath | None) -> JsonPath | None:
    return deferred("json_path", JsonPath, value) if isinstance(value, str) else value


def _filter(value: str | Condition | None) -> Condition | None:
    return deferred("filter", parse_condition, value) if isinstance(value, str) else value


def _sort_by(value: str | Iterable[SortKey]) -> tuple[SortKey, ...]:
    return deferred("sort_by", parse_sort, value) if isinstance(value, str) else tuple(value)


def _distinct(value: str | FieldPath | None) -> FieldPath | None:
    return deferred("distinct", parse_path, value) if isinstance(value, str) else value


@frozen(kw_only=True)
class MapConfig:
    """What a map phase works on. What can be text may be given as text or parsed.

    Attributes:
        json_path: where the items are in the document; `None` is the document itself.
        filter: which items to keep; `None` is all.
        sort_by: `field [ASC|DESC] [NULLS FIRST|LAST], …`; nothing is the order of the input.
        distinct: of items with the same value here only the first is kept; null and missing
            are one value. `None` keeps all.
        offset: how many items to pass over.
        max_items: how many items to take; `None` is all, 0 is none.
        max_parallel: how many agents may run at once.

    Raises:
        ConfigError: everything that is wrong, each with the name of the setting.

    >>> config = MapConfig(filter="score >= 5", sort_by="score DESC", max_items=2)
    >>> [a.item for a in plan_work_assignments([{"score": n} for n in (4, 7, 5, 9)], config)]
    [{'score': 9}, {'score': 7}]
    """

    json_path: JsonPath | None = field(default=None, converter=_json_path)
    filter: Condition | None = field(default=None, converter=_filter)
    sort_by: tuple[SortKey, ...] = field(default=(), converter=_sort_by)
    distinct: FieldPath | None = field(default=None, converter=_distinct)
    offset: int = 0
    max_items: int | None = None
    max_parallel: int = DEFAULT_MAX_PARALLEL

    def __attrs_post_init__(self) -> None:
        refuse(
            [
                *refusals(self),
                *at_least("offset", self.offset, 0),
                *at_least("max_items", self.max_items, 0),
                *at_least("max_parallel", self.max_parallel, 1),
            ]
        )


@frozen(kw_only=True)
class WorkAssignment:
    """An item and its number. The names of its agent and worktree follow from the number alone.

    >>> WorkAssignment(id=3, item={"path": "a.py"}).worktree_name
    'agent-3'
    """

    id: int
    item: Json

    @property
    def agent_name(self) -> str:
        """What the agent is called in events, logs and branches."""
        return f"agent-{self.id}"

    @property
    def worktree_name(self) -> str:
        """The name of the agent's worktree, the same as the agent's."""
        return self.agent_name


def plan_work_assignments(
    items: Iterable[Json] | Json, config: MapConfig | None = None
) -> tuple[WorkAssignment, ...]:
    """Which items are worked on, and by whom.

    Args:
        items: a document, or any iterable of items; with `max_items`, and without `sort_by` and
            `json_path`, it may be endless. Read once, and no further than needed.
        config: what to choose and how; without it every item in the order of the input.

    Returns:
        Assignments in the order in which they are to start, with ids 0, 1, 2, …

    Raises:
        ConfigError: the document is nested too deeply for the `json_path`.

    >>> [a.agent_name for a in plan_work_assignments(["a.py", "b.py"])]
    ['agent-0', 'agent-1']
    """
    config = MapConfig() if config is None else config
    chosen = _items_of(items, config.json_path)
    chosen = filter_items(chosen, config.filter)
    if config.sort_by:
        chosen = sort_items(chosen, config.sort_by)
    if config.distinct is not None:
        chosen = distinct_items(chosen, config.distinct)
    return assign_items(limit_items(offset_items(chosen, config.offset), config.max_items))


def _items_of(items: Iterable[Json] | Json, path: JsonPath | None) -> Iterable[Json]:
    if isinstance(items, Iterable) and not isinstance(items, str | Mapping):
        return items if path is None else select_items(list(items), path)
    return select_items(cast("Json", items), path)


def filter_items(items: Iterable[Json], condition: Condition | None) -> Iterator[Json]:
    """The items that match, in their order.

    >>> list(filter_items([{"n": 1}, {"n": 2}], parse_condition("n > 1")))
    [{'n': 2}]
    """
    return iter(items) if condition is None else filter(condition.matches, items)


def distinct_items(items: Iterable[Json], path: FieldPath) -> Iterator[Json]:
    """The first item for each value at the path; null and missing are one value.

    >>> list(distinct_items([{"n": 1}, {"n": 1.0}, {"n": "1"}], parse_path("n")))
    [{'n': 1}, {'n': '1'}]
    """
    seen = set[object]()
    for item in items:
        value = path.get(item)
        key = identity_key(None if isinstance(value, Missing) else value)
        if key not in seen:
            seen.add(key)
            yield item


def offset_items(items: Iterable[Json], count: int) -> Iterator[Json]:
    """All items but the first so many."""
    return islice(items, count, None)


def limit_items(items: Iterable[Json], count: int | None) -> Iterator[Json]:
    """The first so many items, `None` for all; no more than that is read."""
    return islice(items, count)


def assign_items(items: Iterable[Json]) -> tuple[WorkAssignment, ...]:
    """Number the items from 0.

    >>> assign_items(["a"])
    (WorkAssignment(id=0, item='a'),)
    """
    return tuple(WorkAssignment(id=n, item=item) for n, item in enumerate(items))
