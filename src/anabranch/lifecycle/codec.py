"""Events as lines of JSON, and back.

A line is one flat object that `jq` can read: the schema's number `v`, then `seq`, `time`,
`cause`, `type`, then the payload's own fields, and last a checksum of everything before it.
A field that has its default is left out. Durations are numbers of seconds, and their names
say so. The checksum makes every damage visible, not only the kind that breaks the syntax.

How the schema may change
    A new kind of event keeps the number: a reader that does not know the kind keeps the event
    as `Unrecognised` and tells. Every other change raises `SCHEMA` by one and adds a function
    to `MIGRATIONS` that takes an object of the number before and gives one of this number.
    A reader migrates in memory and never rewrites a file, so one file may hold lines of
    several numbers, each after the older ones. A reader refuses a number above its own.
    A test holds the fields of each number, so that none changes without a new number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Any, Final, Never, get_args
from zlib import crc32

from attrs import Attribute, fields, frozen

from anabranch.lifecycle.events import Event, Payload, StopReason, SubjectKind, Unrecognised
from anabranch.lifecycle.story import type_name
from anabranch.values import HostError, Problem, RunStatus, StepStatus

SCHEMA: Final = 3
"""The number of the schema that is written."""


def _as_it_is(row: dict[str, Any]) -> dict[str, Any]:
    return row


MIGRATIONS: Final[Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    1: _as_it_is,
    2: _as_it_is,
}
"""From each number, how a line of it becomes a line of the next.

2: `run_created` has `definition`, `source` and `items`; without them it stands as it is, and
such a run cannot be resumed.
3: `command_ended` has `user_seconds`, `system_seconds` and `memory_bytes`, `spent` has
`cached_tokens`, `turns` and `session`. Some lines of 2 have them already; without them nobody
measured.
"""

_CHECKSUM: Final = b',"crc":"%08x"}'
_CHECKSUM_LENGTH: Final = len(_CHECKSUM % 0)

_SHOWN: Final = 80
_CAUSES: Final = (int, type(None))

_parse = json.JSONDecoder().raw_decode
_readable = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
_escaped = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def encode(event: Event) -> bytes:
    """An event as a line of JSON, without the line's end.

    >>> from datetime import UTC
    >>> from anabranch.lifecycle.events import PhaseStarted
    >>> noon = datetime(2026, 3, 14, 12, tzinfo=UTC)
    >>> print(encode(Event(3, noon, PhaseStarted(phase="map"), cause=2)).decode())
    {"v":3,"seq":3,"time":"2026-03-14T12:00:00.000000Z","cause":2,"type":"phase_started","phase":"map","crc":"054495b4"}
    """
    text = f"{_head(event)}{_body(event.payload)}"
    try:
        data = text.encode()
    except UnicodeEncodeError:
        data = _escaped(_parse(text + "}")[0])[:-1].encode()
    return data + _CHECKSUM % crc32(data)


def _head(event: Event) -> str:
    time = event.time.isoformat(timespec="microseconds")[:-6]
    cause = "" if event.cause is None else f',"cause":{event.cause}'
    return f'{{"v":{SCHEMA},"seq":{event.sequence},"time":"{time}Z"{cause},"type":'


def decode(line: bytes) -> Event:
    """A line of JSON, without the line's end, as the event it was.

    Raises:
        HostError: the line is damaged (`corrupt-line`) or of a newer schema (`newer-schema`).
    """
    body = line[:-_CHECKSUM_LENGTH]
    if line[-_CHECKSUM_LENGTH:] != _CHECKSUM % crc32(body):
        raise _corrupt("the checksum is wrong", line)
    try:
        return _read(_object(line.decode()))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _corrupt(str(error), line) from error


def _object(text: str) -> dict[str, Any]:
    row, end = _parse(text)
    if end != len(text):
        raise ValueError("there is more than one value on the line")
    found: dict[str, Any] = row
    return found


def _read(row: dict[str, Any]) -> Event:
    del row["crc"]
    schema = row.pop("v")
    if schema != SCHEMA:
        row = _migrated(row, schema)
    time, sequence, cause = row.pop("time"), row.pop("seq"), row.pop("cause", None)
    name = row.pop("type")
    if type(sequence) is not int or type(cause) not in _CAUSES or type(name) is not str:
        raise ValueError("`seq`, `cause` or `type` is of the wrong type")
    return Event(sequence, datetime.fromisoformat(time), _read_payload(name, row), cause)


def _migrated(row: dict[str, Any], schema: int) -> dict[str, Any]:
    if schema > SCHEMA:
        raise HostError(
            Problem(
                code="newer-schema",
                message="the journal was written by a newer anabranch",
                value=f"schema {schema}",
                expected=f"schema {SCHEMA} or older",
                hint="install the version of anabranch that wrote it",
            )
        )
    while schema < SCHEMA:
        row, schema = MIGRATIONS[schema](row), schema + 1
    return row


def _corrupt(why: str, line: bytes) -> HostError:
    shown = repr(line[:_SHOWN])[2:-1]
    return HostError(Problem(code="corrupt-line", message=f"not an event: {why}", value=shown))


# --- payloads ----------------------------------------------------------------------------------


def _texts(value: list[Any]) -> tuple[str, ...]:
    if type(value) is not list or not all(type(text) is str for text in value):
        raise ValueError(f"{value!r} is not a list of texts")
    return tuple(value)


def _counts(value: dict[str, Any]) -> Mapping[str, int]:
    if not all(type(count) is int for count in value.values()):
        raise ValueError(f"{value!r} does not count")
    return value


def _duration(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def _number(value: float) -> float:
    return float(value) if type(value) is int else _refused(value)


def _unchanged(value: Any) -> Any:
    return value


def _seconds(value: timedelta) -> str:
    return repr(value.total_seconds())


def _truth(value: bool) -> str:  # noqa: FBT001 (it is what is written)
    return "true" if value else "false"


def _refused(value: Any) -> Never:
    raise ValueError(f"{value!r} is of the wrong type")


def _member(kind: type[StrEnum]) -> Callable[[Any], Any]:
    return {member.value: member for member in kind}.__getitem__


# By the annotation's text; everything that is not here is written as JSON writes it.
_WRITERS: Final[Mapping[str, Callable[[Any], str]]] = {
    "str": encode_basestring,
    "int": int.__repr__,
    "bool": _truth,
    "timedelta": _seconds,
    "StepStatus": encode_basestring,
    "RunStatus": encode_basestring,
    "SubjectKind": encode_basestring,
    "StopReason": encode_basestring,
}

# By the annotation's text, since `Json` is recursive and has no value at run time: the type
# that is taken as it is, and how anything else is read.
_READERS: Final[Mapping[str, tuple[type | None, Callable[[Any], Any]]]] = {
    "str": (str, _refused),
    "int": (int, _refused),
    "bool": (bool, _refused),
    "float": (float, _number),
    "timedelta": (None, _duration),
    "tuple[str, ...]": (None, _texts),
    "Mapping[str, int]": (None, _counts),
    "Json": (None, _unchanged),
    "StepStatus": (None, _member(StepStatus)),
    "RunStatus": (None, _member(RunStatus)),
    "SubjectKind": (None, _member(SubjectKind)),
    "StopReason": (None, _member(StopReason)),
}


@frozen
class _Field:
    """How a field of a payload is written and read.

    Attributes:
        name, key: in the payload, and in the line.
        default: what is left out of the line.
        write: a value as text.
        plain: values of this type are taken as they are.
        read: for all others.
    """

    name: str
    key: str
    default: object
    write: Callable[[Any], str]
    plain: type | None
    read: Callable[[Any], Any]


def _field(attribute: Attribute[Any]) -> _Field:
    name, kind = attribute.name, str(attribute.type).removesuffix(" | None")
    plain, read = _READERS[kind]
    key = f"{name}_seconds" if kind == "timedelta" else name
    default = dict[str, int]() if kind.startswith("Mapping") else attribute.default
    return _Field(name, key, default, _WRITERS.get(kind, _readable), plain, read)


def _getter(names: Sequence[str]) -> Callable[[object], tuple[object, ...]]:
    """`attrgetter`, which makes no tuple of a single value."""
    getter = attrgetter(*names)
    return getter if len(names) > 1 else lambda payload: (getter(payload),)


_KINDS: Final[Mapping[str, type[Payload]]] = {
    type_name(kind): kind for kind in get_args(Payload) if kind is not Unrecognised
}
_NAMES: Final[Mapping[type[Payload], str]] = {kind: name for name, kind in _KINDS.items()}
_FIELDS: Final[Mapping[type[Payload], tuple[_Field, ...]]] = {
    kind: tuple(map(_field, fields(kind))) for kind in _NAMES
}
_WRITING: Final = {
    kind: (
        encode_basestring(_NAMES[kind]),
        _getter([field.name for field in shape]),
        tuple((f',"{field.key}":', field.default, field.write) for field in shape),
    )
    for kind, shape in _FIELDS.items()
}
_BY_KEY: Final = {
    kind: {field.key: (field.name, field.plain, field.read) for field in shape}
    for kind, shape in _FIELDS.items()
}


def _body(payload: Payload) -> str:
    """From the kind's name to the end, without the brace."""
    if isinstance(payload, Unrecognised):
        data = _readable(payload.data)[1:-1]
        return f"{encode_basestring(payload.type)}{data and ','}{data}"
    name, values, shape = _WRITING[type(payload)]
    parts = [name]
    for value, (key, default, write) in zip(values(payload), shape, strict=True):
        if value is not default and value != default:
            parts += (key, write(value))
    return "".join(parts)


def _read_payload(name: str, row: dict[str, Any]) -> Payload:
    kind = _KINDS.get(name)
    if kind is None:
        return Unrecognised(type=name, data=row)
    by_key, values = _BY_KEY[kind], dict[str, Any]()
    for key, value in row.items():
        field, plain, read = by_key[key]
        values[field] = value if type(value) is plain else read(value)
    payload: Payload = kind(**values)
    return payload
