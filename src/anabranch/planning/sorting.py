"""Sorting items: `score DESC, path ASC NULLS FIRST`.

The sort is stable in both directions. Null and missing are one thing, last unless the key says
`NULLS FIRST`, whichever the direction; values of different kinds follow `json_order`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from operator import ne
from types import NoneType
from typing import Any, Final, cast

from attrs import evolve, frozen

from anabranch.expressions import FieldPath, Missing, parse_path
from anabranch.planning.checks import refuse
from anabranch.planning.json_order import order_key
from anabranch.values import ConfigError, Json, Location, Problem, did_you_mean

_ABSENT: Final[set[type]] = {NoneType, Missing}
_KEY: Final = re.compile(
    r"""(?:^|,) \s*
        (?P<field> (?: '[^']*' | "[^"]*" | [^,\s] )* )
        \s*
        (?P<order> [^,]* )""",
    re.VERBOSE,
)
_ORDER: Final = re.compile(
    r"""(?: (?: asc(?:ending)? | (?P<descending> desc(?:ending)?) ) (?:\s+|$) )?
        (?: nulls \s+ (?: (?P<first> first) | last ) )?""",
    re.IGNORECASE | re.VERBOSE,
)


@frozen(kw_only=True)
class SortKey:
    """One field to sort by.

    Attributes:
        path: where the value is in an item.
        descending: largest first.
        nulls_first: items whose value is null or missing come first, not last.
    """

    path: FieldPath
    descending: bool = False
    nulls_first: bool = False

    def __str__(self) -> str:
        """The text that parses to this key."""
        direction = " DESC" if self.descending else ""
        return f"{self.path}{direction}{' NULLS FIRST' if self.nulls_first else ''}"


def parse_sort(text: str) -> tuple[SortKey, ...]:
    """Read `field [ASC|DESC] [NULLS FIRST|LAST], …`; the words in any case.

    Raises:
        ConfigError: every mistake, with its column.

    >>> [str(key) for key in parse_sort("score descending, owner.name nulls first")]
    ['score DESC', 'owner.name NULLS FIRST']
    """
    keys: list[SortKey] = []
    problems: list[Problem] = []
    for found in _KEY.finditer(text):
        try:
            keys.append(_key(found))
        except ConfigError as error:
            problems.extend(error.problems)
    refuse(problems)
    return tuple(keys)


def _key(found: re.Match[str]) -> SortKey:
    order = _ORDER.fullmatch(found["order"].rstrip())
    if not found["field"]:
        raise _refused("a field to sort by is missing", found.start("field"))
    if order is None:
        raise _refused("not an order", found.start("order"), found["order"].rstrip())
    return SortKey(
        path=_path(found["field"], found.start("field")),
        descending=order["descending"] is not None,
        nulls_first=order["first"] is not None,
    )


def _path(text: str, start: int) -> FieldPath:
    try:
        return parse_path(text)
    except ConfigError as error:
        raise ConfigError(*(_moved(problem, start) for problem in error.problems)) from None


def _moved(problem: Problem, by: int) -> Problem:
    """The problem of a part of the text, placed in the whole."""
    return evolve(problem, where=evolve(problem.where, column=(problem.where.column or 1) + by))


def _refused(message: str, start: int, value: str | None = None) -> ConfigError:
    return ConfigError(
        Problem(
            code="bad-sort",
            message=message,
            where=Location(line=1, column=start + 1),
            value=value,
            expected="`field [ASC|DESC] [NULLS FIRST|LAST], …`",
            hint=value and did_you_mean(value, ["ASC", "DESC", "NULLS FIRST", "NULLS LAST"]),
        )
    )


def sort_items(items: Iterable[Json], keys: Sequence[SortKey]) -> list[Json]:
    """The items in order; those that the keys do not tell apart stay as they came.

    >>> sort_items([{"n": 2}, {}, {"n": 1}], parse_sort("n"))
    [{'n': 1}, {'n': 2}, {}]
    """
    ordered = list(items)
    for key in reversed(keys):
        ordered = _sorted_by(ordered, key)
    return ordered


def _sorted_by(items: list[Json], key: SortKey) -> list[Json]:
    get = key.path.get
    kinds = set(map(type, map(get, items)))
    absent: list[Json] = []
    if kinds & _ABSENT:
        absent = [item for item in items if type(get(item)) in _ABSENT]
        items = [item for item in items if type(get(item)) not in _ABSENT]
    items.sort(key=_comparable(get, items, kinds - _ABSENT), reverse=key.descending)
    return absent + items if key.nulls_first else items + absent


def _comparable(
    get: Callable[[Json], Json | Missing], items: list[Json], kinds: set[type]
) -> Callable[[Json], Any]:
    """The values as they are if Python orders them as we do, and their order keys otherwise."""
    if kinds <= {str} or kinds <= {int} or (kinds <= {int, float} and not _any_nan(get, items)):
        return get
    return lambda item: order_key(cast("Json", get(item)))


def _any_nan(get: Callable[[Json], Any], items: list[Json]) -> bool:
    return any(map(ne, map(get, items), map(get, items)))
