"""Values of this floor as JSON, and back.

`to_json` and `from_json` work for any attrs class made of such classes, of strings, numbers,
booleans and `None`, of durations, enumerations, tuples, frozen sets, and mappings with string
keys. Law: `from_json(to_json(value), type(value)) == value`.

A class is an object with its fields. Where a field may be one of several classes, the object
says which in `type`. A duration is its exact number of seconds with the unit, `1.5s`. A set is a
sorted array. What is not expected is refused, never dropped, and all of it at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from itertools import repeat
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import attrs

from anabranch.planning.critical_path import TICK
from anabranch.values import AnabranchError, ConfigError, Json, Location, Problem, did_you_mean

T = TypeVar("T")

_TAG: Final = "type"
_DURATION: Final = re.compile(r"-?[0-9]{1,14}(\.[0-9]{1,6})?s")
_SECOND: Final = timedelta(seconds=1) // TICK


def to_json(value: object) -> Json:
    """Write a value as data that JSON can say.

    Raises:
        TypeError: something in it is of a kind that cannot be written.

    >>> from anabranch.planning import RateLimit
    >>> to_json(RateLimit(starts=2, per=timedelta(seconds=1.5)))
    {'starts': 2, 'per': '1.5s'}
    """
    return _written(value, type(value))


def from_json(document: Json, kind: type[T]) -> T:
    """Read a value of the given class.

    Raises:
        ConfigError: it is none; every problem with its place, such as `$.rates.api.per`.

    >>> from anabranch.planning import Claim
    >>> from_json({"name": "gpu", "amount": 2}, Claim)
    Claim(name='gpu', amount=2, shared=False)
    """
    reader = _Reader()
    value = reader.read(document, kind, "$")
    if reader.problems:
        raise ConfigError(*reader.problems)
    return cast("T", value)


def _written(value: object, kind: Any) -> Json:
    for classes, write in _WRITERS:
        if isinstance(value, classes):
            return write(value, kind)
    if not attrs.has(type(value)):
        raise TypeError(f"a value of this kind cannot be written as JSON: {value!r}")
    return _write_object(value, kind)


def _write_plain(value: Any, _: Any) -> Json:
    return cast("Json", value)


def _write_enum(value: Any, _: Any) -> Json:
    return cast("Json", value.value)


def _write_duration(value: timedelta, _: Any) -> Json:
    return f"{(Decimal(value // TICK) / _SECOND).normalize():f}s"


def _write_mapping(value: Mapping[str, Any], kind: Any) -> Json:
    inner = _inner(kind, 1)
    return {key: _written(item, inner) for key, item in value.items()}


def _write_elements(value: Sequence[Any], kind: Any) -> Json:
    return [_written(v, of) for v, of in zip(value, _element_kinds(kind), strict=False)]


def _write_set(value: Iterable[Any], kind: Any) -> Json:
    return sorted((_written(item, _inner(kind, 0)) for item in value), key=json.dumps)


def _write_object(value: object, kind: Any) -> Json:
    cls: type = type(value)
    tagged = len(_choices(kind)) > 1
    written: dict[str, Json] = {_TAG: cls.__name__} if tagged else {}
    for name, of in _kinds(cls).items():
        written[name] = _written(getattr(value, name), of)
    return written


_WRITERS: Final[Sequence[tuple[type | tuple[type, ...], Callable[[Any, Any], Json]]]] = (
    (Enum, _write_enum),
    ((NoneType, bool, int, float, str), _write_plain),
    (timedelta, _write_duration),
    (Mapping, _write_mapping),
    ((tuple, list), _write_elements),
    ((frozenset, set), _write_set),
)


@cache
def _kinds(cls: type) -> Mapping[str, Any]:
    """Say of which kind each field is that the class can be made with."""
    hints = get_type_hints(cls, localns={"Json": Any})
    return {field.name: hints[field.name] for field in attrs.fields(cls) if field.init}


def _inner(kind: Any, at: int) -> Any:
    arguments = get_args(_without_none(kind))
    return arguments[at] if at < len(arguments) else Any


def _element_kinds(kind: Any) -> Iterator[Any]:
    """Give the kinds of a tuple's elements, endless if it may have any length."""
    arguments = get_args(_without_none(kind)) or (Any, ...)
    if arguments[-1] is ...:
        return repeat(arguments[0])
    return iter(arguments)


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)


def _without_none(kind: Any) -> Any:
    """Take the one alternative that is not `None`, if there is one only."""
    others = [one for one in _alternatives(kind) if one is not NoneType]
    return others[0] if len(others) == 1 else kind


def _choices(kind: Any) -> dict[str, type]:
    """Give the classes that a field may hold, by name."""
    return {one.__name__: one for one in _alternatives(kind) if _is_class(one)}


def _is_class(kind: Any) -> bool:
    return isinstance(kind, type) and attrs.has(kind)


class _Reader:
    """Reads a document of a known kind and collects what is wrong with it."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def read(self, value: Json, kind: Any, path: str) -> Any:
        """Read one value; after a problem the answer means nothing."""
        if kind is Any or (value is None and NoneType in _alternatives(kind)):
            return value
        if _choices(kind) and isinstance(value, Mapping):
            return self.read_choice(value, kind, path)
        fitting = next((one for one in _alternatives(kind) if _fits(value, one)), None)
        if fitting is None:
            return self.refuse(path, value, " or ".join(map(_named, _alternatives(kind))))
        return self.read_plain(value, fitting, path)

    def refuse(self, path: str, value: object, expected: str, hint: str | None = None) -> None:
        problem = Problem(
            code="bad-value",
            message="not what belongs here",
            where=Location(path=path),
            value=repr(value),
            expected=expected,
            hint=hint,
        )
        self.problems.append(problem)

    def read_plain(self, value: Any, kind: Any, path: str) -> Any:
        """Read what is no object of a class, once its shape is known to fit."""
        origin = get_origin(kind) or kind
        if origin is timedelta:
            return self.read_duration(value, path)
        if origin is Mapping:
            inner = _inner(kind, 1)
            return {key: self.read(item, inner, f"{path}.{key}") for key, item in value.items()}
        if origin in {tuple, frozenset}:
            kinds = _element_kinds(kind) if origin is tuple else repeat(_inner(kind, 0))
            elements = zip(value, kinds, strict=False)
            read = (self.read(v, of, f"{path}[{at}]") for at, (v, of) in enumerate(elements))
            return tuple(read) if origin is tuple else frozenset(read)
        return kind(value) if issubclass(kind, Enum) else value

    def read_duration(self, text: str, path: str) -> timedelta | None:
        if _DURATION.fullmatch(text):
            with suppress(OverflowError):
                return int(Decimal(text.removesuffix("s")) * _SECOND) * TICK
        self.refuse(path, text, _named(timedelta))
        return None

    def read_choice(self, value: Mapping[str, Json], kind: Any, path: str) -> Any:
        """Read an object of a class; of several, the one that the object names."""
        choices = _choices(kind)
        if len(choices) == 1:
            return self.read_object(value, next(iter(choices.values())), path)
        tag = value.get(_TAG)
        if not isinstance(tag, str) or tag not in choices:
            return self.refuse(f"{path}.{_TAG}", tag, " or ".join(sorted(choices)))
        fields = {key: item for key, item in value.items() if key != _TAG}
        return self.read_object(fields, choices[tag], path)

    def read_object(self, value: Mapping[str, Json], cls: type, path: str) -> Any:
        before = len(self.problems)
        kinds = _kinds(cls)
        for key in value:
            if key not in kinds:
                expected = f"a field of {cls.__name__}"
                self.refuse(f"{path}.{key}", value[key], expected, did_you_mean(key, kinds))
        for field in attrs.fields(cls):
            if field.name in kinds and field.name not in value and field.default is attrs.NOTHING:
                self.refuse(f"{path}.{field.name}", None, "a value: this field is required")
        known = {key: item for key, item in value.items() if key in kinds}
        read = {key: self.read(item, kinds[key], f"{path}.{key}") for key, item in known.items()}
        return self.made(cls, read, path) if len(self.problems) == before else None

    def made(self, cls: type, fields: Mapping[str, Any], path: str) -> Any:
        """Make the value, which may find more that is wrong."""
        try:
            return cls(**fields)
        except AnabranchError as error:
            for problem in error.problems:
                inner = ".".join(filter(None, [path, problem.where.path]))
                self.problems.append(attrs.evolve(problem, where=Location(path=inner)))
        except (TypeError, ValueError) as error:
            self.refuse(path, fields, str(error))
        return None


def _fits(value: object, kind: Any) -> bool:
    """Whether a value has the shape of a kind, whatever is in it."""
    origin = get_origin(kind) or kind
    if origin is timedelta:
        return isinstance(value, str)
    if origin is Mapping:
        return isinstance(value, Mapping)
    if origin in {tuple, frozenset}:
        if not isinstance(value, list | tuple):
            return False
        kinds, count = get_args(kind), len(cast("Sequence[object]", value))
        return origin is frozenset or kinds[-1] is ... or count == len(kinds)
    if issubclass(origin, Enum):
        return any(type(value) is type(one.value) and value == one.value for one in origin)
    return type(value) is origin or (origin is float and type(value) is int)


def _named(kind: Any) -> str:
    """Say what a kind looks like in a document."""
    origin = get_origin(kind) or kind
    if isinstance(origin, type) and issubclass(origin, Enum):
        return " or ".join(repr(one.value) for one in origin)
    return _NAMES.get(origin, "an object")


_NAMES: Final[Mapping[Any, str]] = {
    NoneType: "null",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    timedelta: "a number of seconds and the unit, such as `1.5s`",
    tuple: "an array",
    frozenset: "an array",
}
