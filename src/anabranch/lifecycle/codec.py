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
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, get_args
from zlib import crc32

from attrs import Attribute, fields, frozen

from anabranch.lifecycle.events import Event, Payload, StopReason, SubjectKind, Unrecognised
from anabranch.lifecycle.story import type_name
from anabranch.values import HostError, Problem, RunStatus, StepStatus

SCHEMA: Final = 1
"""The number of the schema that is written."""

MIGRATIONS: Final[Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}
"""From each number, how a line of it becomes a line of the next."""

_CHECKSUM: Final = b',"crc":"%08x"}'
_CHECKSUM_LENGTH: Final = len(_CHECKSUM % 0)

_readable = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
_escaped = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def encode(event: Event) -> bytes:
    """An event as a line of JSON, without the line's end.

    >>> from datetime import UTC
    >>> from anabranch.lifecycle.events import PhaseStarted
    >>> noon = datetime(2026, 3, 14, 12, tzinfo=UTC)
    >>> print(encode(Event(3, noon, PhaseStarted(phase="map"), cause=2)).decode())
    {"v":1,"seq":3,"time":"2026-03-14T12:00:00.000000Z","cause":2,"type":"phase_started","phase":"map","crc":"a6d8a186"}
    """
    time = event.time.isoformat(timespec="microseconds")
    row: dict[str, Any] = {"v": SCHEMA, "seq": event.sequence, "time": time[:-6] + "Z"}
    if event.cause is not None:
        row["cause"] = event.cause
    _write_payload(row, event.payload)
    try:
        data = _readable(row).encode()
    except UnicodeEncodeError:
        data = _escaped(row).encode()
    return data[:-1] + _CHECKSUM % crc32(data[:-1])


def decode(line: bytes) -> Event:
    """A line of JSON, without the line's end, as the event it was.

    Raises:
        HostError: the line is damaged (`corrupt-line`) or of a newer schema (`newer-schema`).
    """
    body = line[:-_CHECKSUM_LENGTH]
    if line[-_CHECKSUM_LENGTH:] != _CHECKSUM % crc32(body):
        raise _corrupt("the checksum is wrong", line)
    try:
        return _read(json.loads(body + b"}"))
    except (ValueError, TypeError, KeyError) as error:
        raise _corrupt(str(error), line) from error


def _read(row: dict[str, Any]) -> Event:
    row = _migrated(row, row.pop("v"))
    time, sequence, cause = row.pop("time"), row.pop("seq"), row.pop("cause", None)
    return Event(sequence, datetime.fromisoformat(time), _read_payload(row.pop("type"), row), cause)


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
    shown = line[:100].decode(errors="backslashreplace")
    return HostError(Problem(code="corrupt-line", message=f"not an event: {why}", value=shown))


# --- payloads ----------------------------------------------------------------------------------


def _exactly(*kinds: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) not in kinds:
            raise ValueError(f"{value!r} is not of type {kinds[0].__name__}")
        return value

    return read


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(_exactly(str), value))


def _counts(value: Any) -> Mapping[str, int]:
    return {name: _exactly(int)(count) for name, count in value.items()}


def _unchanged(value: Any) -> Any:
    return value


# By the annotation's text, since `Json` is recursive and has no value at run time.
_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "str": _exactly(str),
    "int": _exactly(int),
    "bool": _exactly(bool),
    "float": _exactly(float, int),
    "timedelta": lambda value: timedelta(seconds=value),
    "tuple[str, ...]": _texts,
    "Mapping[str, int]": _counts,
    "Json": _unchanged,
    "StepStatus": StepStatus,
    "RunStatus": RunStatus,
    "SubjectKind": SubjectKind,
    "StopReason": StopReason,
}

_WRITERS: Final[Mapping[str, Callable[[Any], Any]]] = {"timedelta": timedelta.total_seconds}


@frozen
class _Field:
    """How a field of a payload is written and read."""

    name: str
    key: str
    default: object
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


def _field(attribute: Attribute[Any]) -> _Field:
    kind = str(attribute.type).removesuffix(" | None")
    name = attribute.name
    return _Field(
        name=name,
        key=f"{name}_seconds" if kind == "timedelta" else name,
        default={} if kind.startswith("Mapping") else attribute.default,
        read=_READERS[kind],
        write=_WRITERS.get(kind, _unchanged),
    )


_KINDS: Final[Mapping[str, type[Payload]]] = {
    type_name(kind): kind for kind in get_args(Payload) if kind is not Unrecognised
}
_FIELDS: Final[Mapping[type[Payload], tuple[_Field, ...]]] = {
    kind: tuple(map(_field, fields(kind))) for kind in _KINDS.values()
}
_NAMES: Final[Mapping[type[Payload], str]] = {kind: name for name, kind in _KINDS.items()}
_KEYS: Final[Mapping[type[Payload], Mapping[str, _Field]]] = {
    kind: {f.key: f for f in shape} for kind, shape in _FIELDS.items()
}


def _write_payload(row: dict[str, Any], payload: Payload) -> None:
    if isinstance(payload, Unrecognised):
        row.update(type=payload.type, **payload.data)
        return
    row["type"] = _NAMES[type(payload)]
    for field in _FIELDS[type(payload)]:
        value = getattr(payload, field.name)
        if value is not field.default and value != field.default:
            row[field.key] = field.write(value)


def _read_payload(name: str, row: dict[str, Any]) -> Payload:
    kind = _KINDS.get(name)
    if kind is None:
        return Unrecognised(type=_exactly(str)(name), data=row)
    keys = _KEYS[kind]
    values = {keys[key].name: keys[key].read(value) for key, value in row.items()}
    payload: Payload = kind(**values)
    return payload
