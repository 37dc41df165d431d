"""Views as plain data of JSON, and a summary made of it again.

Durations become numbers of seconds, and the names of their fields say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, Final, TypeVar

from attrs import fields

from anabranch.lifecycle import (
    Delivered,
    Running,
    StopReason,
    StopRequested,
    Summary,
    Unsuccessful,
)
from anabranch.values import RunStatus, StepStatus

T = TypeVar("T")


def as_plain(value: object) -> object:
    """One step from a value towards JSON, for what `json.dumps` cannot say by itself.

    >>> as_plain(timedelta(minutes=1))
    60.0
    """
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case _:
            return plain_of(value)


def plain_of(value: Any) -> dict[str, object]:
    """The fields of an attrs value, by their names in JSON."""
    return {key: getattr(value, name) for name, key, _ in _fields(value.__class__)}


def summary_of(row: object) -> Summary:
    """The summary that an object of JSON holds.

    Raises:
        ValueError, TypeError, KeyError: it holds none.
    """
    summary: Summary = _made(Summary, row)
    return summary


@cache
def _fields(kind: Any) -> tuple[tuple[str, str, str], ...]:
    """The name of each field, its name in JSON, and its type as it is written."""
    found = ((field.name, str(field.type)) for field in fields(kind))
    return tuple((n, f"{n}_seconds" if "timedelta" in type_ else n, type_) for n, type_ in found)


def _made(kind: Any, row: Any) -> Any:
    return kind(**{name: _read(row[key], type_) for name, key, type_ in _fields(kind)})


def _read(value: Any, type_: str) -> Any:
    if value is None and type_.endswith(" | None"):
        return None
    return _READERS[type_.removesuffix(" | None")](value)


def _checked(*kinds: type[T]) -> Callable[[Any], T]:
    def read(value: Any) -> T:
        if type(value) not in kinds:
            raise TypeError(f"{value!r} is not of the type {kinds[0].__name__}")
        found: T = value
        return found

    return read


def _each(read: Callable[[Any], T]) -> Callable[[Iterable[Any]], tuple[T, ...]]:
    return lambda values: tuple(map(read, values))


def _seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def _durations(row: Mapping[str, float]) -> Mapping[str, timedelta]:
    return {name: _seconds(number) for name, number in row.items()}


def _counts(row: Mapping[str, int]) -> Mapping[StepStatus, int]:
    return {StepStatus(name): number for name, number in row.items()}


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "str": _checked(str),
    "int": _checked(int),
    "bool": _checked(bool),
    "float": _checked(float, int),
    "datetime": datetime.fromisoformat,
    "timedelta": _seconds,
    "RunStatus": RunStatus,
    "StepStatus": StepStatus,
    "StopReason": StopReason,
    "StopRequested": partial(_made, StopRequested),
    "Delivered": partial(_made, Delivered),
    "tuple[str, ...]": _each(_checked(str)),
    "tuple[Running, ...]": _each(partial(_made, Running)),
    "tuple[Unsuccessful, ...]": _each(partial(_made, Unsuccessful)),
    "Mapping[str, timedelta]": _durations,
    "Mapping[StepStatus, int]": _counts,
}
"""How a field is read, by its type as it is written: of those that a summary is made of."""
