"""Whether what one step gives is what the next one takes, by their JSON Schemas.

Two questions are asked of the keywords `type`, `enum`, `properties`, `required` and `items`:
is there a place where no output fits (`MISMATCH`), or one where an output may not fit, because
the giver does not promise what the taker wants (`NOT_PROMISED`)? A schema that lists properties
is taken to list all that matter. Other keywords narrow values further; they are for the check of
the values themselves, when the steps run.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from attrs import frozen

from anabranch.planning.json_order import identity_key
from anabranch.values import Json

Schema: TypeAlias = Mapping[str, Json]

_TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


class Doubt(StrEnum):
    """How bad a difference between two schemas is."""

    MISMATCH = "mismatch"
    NOT_PROMISED = "not promised"


@frozen(kw_only=True)
class SchemaDifference:
    """One place where two schemas do not agree.

    Attributes:
        path: in the value, such as `$.files[].name`.
        given: what the giver says of it.
        taken: what the taker wants there.
    """

    doubt: Doubt
    path: str
    given: str
    taken: str


def schema_differences(gives: Schema, takes: Schema) -> Iterator[SchemaDifference]:
    """Find where a value of the first schema is not, or may not be, one of the second.

    >>> number, text = {"type": "integer"}, {"type": "string"}
    >>> [d.path for d in schema_differences({"items": number}, {"items": text})]
    ['$[]']
    """
    pending = [("$", gives, takes)]
    for path, given, taken in pending:
        yield from _type_differences(path, given, taken)
        yield from _enum_differences(path, given, taken)
        yield from _required_differences(path, given, taken)
        theirs, ours = _properties(given), _properties(taken)
        pending += [(f"{path}.{key}", theirs[key], ours[key]) for key in ours if key in theirs]
        match given.get("items"), taken.get("items"):
            case Mapping() as each, Mapping() as wanted:
                pending.append((f"{path}[]", each, wanted))
            case _:
                pass


def _type_differences(path: str, gives: Schema, takes: Schema) -> Iterator[SchemaDifference]:
    given, taken = _types(gives), _types(takes)
    if not given <= taken:
        doubt = Doubt.NOT_PROMISED if given & taken else Doubt.MISMATCH
        yield SchemaDifference(doubt=doubt, path=path, given=_named(given), taken=_named(taken))


def _types(schema: Schema) -> frozenset[str]:
    """Read the types that a value may have; a `number` may also be an integer."""
    kind = schema.get("type", list(_TYPES))
    names = {kind} if isinstance(kind, str) else set(_strings(kind))
    return frozenset(names | {"integer"} if "number" in names else names)


def _named(types: frozenset[str]) -> str:
    return "any type" if types == _TYPES else " or ".join(sorted(types))


def _enum_differences(path: str, gives: Schema, takes: Schema) -> Iterator[SchemaDifference]:
    given, taken = _enum(gives), _enum(takes)
    if taken is None or (given is not None and given.keys() <= taken.keys()):
        return
    apart = given is not None and not given.keys() & taken.keys()
    yield SchemaDifference(
        doubt=Doubt.MISMATCH if apart else Doubt.NOT_PROMISED,
        path=path,
        given="any value" if given is None else _listed(given.values()),
        taken=_listed(taken.values()),
    )


def _enum(schema: Schema) -> dict[Hashable, Json] | None:
    match schema.get("enum"):
        case [*values]:
            return {identity_key(value): value for value in values}
        case _:
            return None


def _listed(values: Iterable[Json]) -> str:
    return "one of " + ", ".join(map(repr, values))


def _required_differences(path: str, gives: Schema, takes: Schema) -> Iterator[SchemaDifference]:
    """Compare what is required, where both sides speak of objects."""
    if "object" not in _types(gives) & _types(takes):
        return
    listed, promised = _properties(gives), _strings(gives.get("required"))
    for key in _strings(takes.get("required")):
        if key not in promised:
            absent = bool(listed) and key not in listed
            yield SchemaDifference(
                doubt=Doubt.MISMATCH if absent else Doubt.NOT_PROMISED,
                path=f"{path}.{key}",
                given="no such property" if absent else "an optional property",
                taken="a required property",
            )


def _properties(schema: Schema) -> dict[str, Schema]:
    match schema.get("properties"):
        case Mapping() as properties:
            return {key: s for key, s in properties.items() if isinstance(s, Mapping)}
        case _:
            return {}


def _strings(value: Json) -> list[str]:
    match value:
        case [*names]:
            return [name for name in names if isinstance(name, str)]
        case _:
            return []
