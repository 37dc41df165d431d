"""What may stand in a file: one description, read in two ways.

A `Shape` says how to read a node into a value, with every problem at once, and what the
same rule is in JSON Schema. The grammar of workflows (`grammar.py`) is made of shapes, so
that the loader and the schema that editors use cannot drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from itertools import chain
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

from attrs import evolve, field, frozen
from returns.result import Failure, Result, Success

from anabranch.values import (
    ConfigError,
    Json,
    Masked,
    Problem,
    did_you_mean,
    parse_duration,
    shortened,
)
from anabranch.values.yaml import Entries, Entry, Items, Node, Place, Scalar, Spot
from anabranch.workflow.checks import Check, Problems, all_of, lasting, passable, variable_name

T = TypeVar("T")
S = TypeVar("S")
E = TypeVar("E", bound=StrEnum)

Read: TypeAlias = Callable[[Node, Spot], Result[T, Problems]]
Schema: TypeAlias = Mapping[str, Json]


@frozen
class Shape(Generic[T]):
    """A rule for a node.

    Attributes:
        read: the value that the node stands for, or all that is wrong with it.
        schema: the same rule in JSON Schema (draft 2020-12).
        expected: what would be right, in words.
    """

    read: Read[T]
    schema: Schema
    expected: str

    def map(self, change: Callable[[T], S]) -> Shape[S]:
        """Change the value that was read."""
        return Shape(
            lambda node, spot: self.read(node, spot).map(change), self.schema, self.expected
        )


# --- leaves ------------------------------------------------------------------------------------


def _wrong(node: Node, spot: Spot, expected: str, hint: str | None = None) -> Failure[Problems]:
    match node:
        case Scalar():
            value = shortened(Masked(node.text), _SHOWN)  # it is told to who wrote it
            shown = repr(value) if node.quoted or not value else value
        case Items():
            shown = "a list"
        case _:
            shown = "a mapping"
    problem = Problem(
        code="wrong-type", message="wrong type", value=shown, expected=expected, hint=hint
    )
    return Failure((spot.put(problem, node.place),))


_SHOWN = 60
"""No more characters than this of an offending value are shown."""


def _checked(value: T, check: Check[T], node: Node, spot: Spot) -> Result[T, Problems]:
    problems = check(value)
    return Failure(tuple(spot.inside(p, node) for p in problems)) if problems else Success(value)


def text(expected: str = "text", *, check: Check[str] = passable, **schema: Json) -> Shape[str]:
    """Text that passes a check."""

    def read(node: Node, spot: Spot) -> Result[str, Problems]:
        if not isinstance(node, Scalar):
            return _wrong(node, spot, expected)
        if not isinstance(node.value, str):
            quotes = "put it in quotes" if node.text else None
            return _wrong(node, spot, expected, quotes)
        return _checked(node.value, check, node, spot)

    return Shape(read, {"type": "string", **schema}, expected)


def printed(check: Check[str]) -> Shape[str]:
    """Text that passes a check; a number or boolean stands for what it is written as."""

    def read(node: Node, spot: Spot) -> Result[str, Problems]:
        if not isinstance(node, Scalar) or node.value is None:
            return _wrong(node, spot, expected)
        return _checked(node.text, check, node, spot)

    expected = "text, a number or a boolean"
    return Shape(read, {"type": ["string", "number", "boolean"]}, expected)


def whole(minimum: int, *, code: str = "out-of-range") -> Shape[int]:
    """A whole number that is not too small; `code` is of the problem if it is."""
    expected = f"a whole number, {minimum} or more"

    def check(value: int) -> Problems:
        small = Problem(code=code, message="is too small", value=str(value), expected=expected)
        return (small,) if value < minimum else ()

    def read(node: Node, spot: Spot) -> Result[int, Problems]:
        if not isinstance(node, Scalar) or type(node.value) is not int:
            quoted = isinstance(node, Scalar) and node.quoted and node.text.isdecimal()
            return _wrong(node, spot, expected, "take the quotes away" if quoted else None)
        return _checked(node.value, check, node, spot)

    return Shape(read, {"type": "integer", "minimum": minimum}, expected)


def number(expected: str, **schema: Json) -> Shape[float]:
    """A number, whole or not; what it may be is for its table to say."""

    def read(node: Node, spot: Spot) -> Result[float, Problems]:
        if not isinstance(node, Scalar) or type(node.value) not in {int, float}:
            return _wrong(node, spot, expected)
        return Success(cast("float", node.value))

    return Shape(read, {"type": "number", **schema}, expected)


def flag() -> Shape[bool]:
    """`true` or `false`."""

    def read(node: Node, spot: Spot) -> Result[bool, Problems]:
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return Success(node.value)
        return _wrong(node, spot, expected)

    expected = "`true` or `false`"
    return Shape(read, {"type": "boolean"}, expected)


def duration(check: Check[timedelta] = lasting, **schema: Json) -> Shape[timedelta]:
    """A length of time: a number of seconds, or text such as `1m 30s`. Above zero by default."""

    def read(node: Node, spot: Spot) -> Result[timedelta, Problems]:
        if not isinstance(node, Scalar) or node.value is None or isinstance(node.value, bool):
            return _wrong(node, spot, expected)
        try:
            value = parse_duration(node.value)
        except ConfigError as error:
            return Failure(tuple(spot.put(p, node.place) for p in error.problems))
        return _checked(value, check, node, spot)

    expected = "a duration: `500ms`, `30s`, `1m 30s`, or a number of seconds"
    least: Schema = schema or {"exclusiveMinimum": 0}
    return Shape(read, {"type": ["string", "number"], **least}, expected)


def choice(words: type[E]) -> Shape[E]:
    """One of a few words."""
    allowed = [word.value for word in words]
    expected = " or ".join(f"`{word}`" for word in allowed)

    def read(node: Node, spot: Spot) -> Result[E, Problems]:
        if isinstance(node, Scalar) and node.value in allowed:
            return Success(words(node.value))
        hint = did_you_mean(node.text, allowed) if isinstance(node, Scalar) else None
        return _wrong(node, spot, expected, hint)

    return Shape(read, {"enum": allowed}, expected)


# --- collections -------------------------------------------------------------------------------


def _gather(results: list[Result[Any, Problems]]) -> Problems:
    return tuple(chain.from_iterable(r.failure() for r in results if isinstance(r, Failure)))


def list_of(
    element: Shape[T], expected: str, *, check: Check[tuple[T, ...]], **schema: Json
) -> Shape[tuple[T, ...]]:
    """A list whose elements have one shape, and which passes a check as a whole."""

    def read(node: Node, spot: Spot) -> Result[tuple[T, ...], Problems]:
        if not isinstance(node, Items):
            return _wrong(node, spot, expected)
        results = [element.read(c, spot.index(i)) for i, c in enumerate(node.children)]
        problems = _gather(list(results))
        if problems:
            return Failure(problems)
        value = tuple(r.unwrap() for r in results)
        found = tuple(placed(p, node, spot) for p in check(value))
        return Failure(found) if found else Success(value)

    return Shape(read, {"type": "array", "items": element.schema, **schema}, expected)


def one_or_many(
    element: Shape[T], expected: str, *, check: Check[tuple[T, ...]] = lambda _: ()
) -> Shape[tuple[T, ...]]:
    """A list, or its only element by itself."""
    many = list_of(element, expected, check=check)

    def read(node: Node, spot: Spot) -> Result[tuple[T, ...], Problems]:
        if isinstance(node, Scalar) and node.value is not None:
            return element.read(node, spot).map(lambda value: (value,))
        return many.read(node, spot)

    return Shape(read, {"anyOf": [element.schema, many.schema]}, expected)


def variables(check: Check[str]) -> Shape[dict[str, str]]:
    """Environment variables: names of the user's choice, each with a text that passes a check."""
    return named(
        printed(all_of(passable, check)),
        "names and values of environment variables",
        check=variable_name,
        pattern="^[A-Za-z_][A-Za-z0-9_]*$",
    )


def named(
    value: Shape[T], expected: str, *, check: Check[str], pattern: str
) -> Shape[dict[str, T]]:
    """Values of one shape, under names of the user's choice.

    Args:
        value: what each of them is.
        expected: what they are, in words.
        check: of the names.
        pattern: what it says of them, as a regular expression.
    """

    def read(node: Node, spot: Spot) -> Result[dict[str, T], Problems]:
        if not isinstance(node, Entries):
            return _wrong(node, spot, expected)
        names = [_checked(e.key, check, _name(e), spot.key(e.key)) for e in node.children]
        values = [value.read(e.value, spot.key(e.key)) for e in node.children]
        problems = _gather([*names, *values])
        if problems:
            return Failure(problems)
        return Success({e.key: r.unwrap() for e, r in zip(node.children, values, strict=True)})

    schema: Schema = {
        "type": "object",
        "propertyNames": {"pattern": pattern},
        "additionalProperties": value.schema,
    }
    return Shape(read, schema, expected)


def _name(entry: Entry) -> Scalar:
    return Scalar(entry.key, text=entry.key, place=entry.place)


# --- tables ------------------------------------------------------------------------------------


@frozen
class Key:
    """A key of a table.

    Attributes:
        name: as it stands in the file.
        shape: what its value may be.
        doc: one sentence for the reference and for editors.
        required: whether it must be there.
    """

    name: str
    shape: Shape[Any]
    doc: str
    required: bool = field(default=False, kw_only=True)


def table(
    build: Callable[..., T],
    *keys: Key,
    expected: str,
    elsewhere: frozenset[str] = frozenset(),
    one_of: tuple[str, ...] = (),
) -> Shape[T]:
    """A mapping with known keys only.

    Args:
        build: called with the values that were there, by name. What it has to say of them
            together, as a `ConfigError`, is placed in the file by its paths.
        keys: what may stand in it.
        one_of: keys of which exactly one must be there.
        expected: what it is, in words.
        elsewhere: keys that other programs know at this place; they are refused with that reason.
    """
    known = {key.name: key for key in keys}

    def read(node: Node, spot: Spot) -> Result[T, Problems]:
        if not isinstance(node, Entries):
            return _wrong(node, spot, expected)
        unknown = [_unknown(e, known, elsewhere, spot) for e in node.children if e.key not in known]
        hints = {p.hint for p in unknown}
        given = {e.key for e in node.children}
        missing = [
            _missing(key, node.place, spot)
            for key in keys
            if key.required and key.name not in given and _meant(key.name) not in hints
        ]
        results = {
            e.key: known[e.key].shape.read(e.value, spot.key(e.key))
            for e in node.children
            if e.key in known
        }
        chosen = _choices(node, one_of, spot, hints)
        problems = (*unknown, *missing, *chosen, *_gather(list(results.values())))
        if problems:
            return Failure(problems)
        try:
            return Success(build(**{name: r.unwrap() for name, r in results.items()}))
        except ConfigError as error:
            return Failure(tuple(placed(p, node, spot) for p in error.problems))

    return Shape(read, _table_schema(keys, one_of), expected)


def _table_schema(keys: tuple[Key, ...], one_of: tuple[str, ...]) -> Schema:
    choices: list[Json] = [{"required": [name]} for name in one_of]
    return {
        "type": "object",
        "properties": {key.name: {"description": key.doc, **key.shape.schema} for key in keys},
        "required": [key.name for key in keys if key.required],
        "additionalProperties": False,
        **({"oneOf": choices} if choices else {}),
    }


def _choices(
    node: Entries, one_of: tuple[str, ...], spot: Spot, hints: set[str | None]
) -> Problems:
    """What is wrong with the choice among some keys, unless a misspelt one explains it."""
    given = [entry for entry in node.children if entry.key in one_of]
    expected = "one of " + ", ".join(f"`{name}:`" for name in one_of)
    if one_of and not given and not any(_meant(name) in hints for name in one_of):
        missing = Problem(code="missing-key", message="a key is missing", expected=expected)
        return (spot.put(missing, node.place),)
    return tuple(
        spot.key(entry.key).put(
            Problem(
                code="too-many-keys",
                message=f"it cannot stand beside `{given[0].key}:`",
                value=entry.key,
                expected=expected,
            ),
            entry.place,
        )
        for entry in given[1:]
    )


_PART: Final = re.compile(r"[^.\[\]]+")


def placed(problem: Problem, node: Node, spot: Spot) -> Problem:
    """Place a problem of a value made of a node, following its path as far as that goes."""
    place = node.place
    for part in _PART.findall(problem.where.path or ""):
        if isinstance(node, Entries) and part.isdigit():
            node, place, spot = _entered(node, "commands", place, spot)
        if isinstance(node, Items) and part.isdigit() and int(part) < len(node.children):
            node, spot = node.children[int(part)], spot.index(int(part))
            place = node.place
        elif isinstance(node, Entries):
            node, place, spot = _entered(node, part, place, spot)
    return spot.inside(problem, node) if problem.where.line else spot.put(problem, place)


def _entered(node: Entries, key: str, place: Place, spot: Spot) -> tuple[Node, Place, Spot]:
    for entry in node.children:
        if entry.key == key:
            return entry.value, entry.value.place, spot.key(key)
    return node, place, spot


def _meant(name: str) -> str | None:
    """The hint of an unknown key that stands for a key that is missing: one problem, not two."""
    return did_you_mean(name, [name])


def _unknown(
    entry: Entry, known: Mapping[str, Key], elsewhere: frozenset[str], spot: Spot
) -> Problem:
    hint = did_you_mean(entry.key, known)
    problem = Problem(code="unknown-key", message="unknown key", value=entry.key, hint=hint)
    if entry.key in elsewhere:
        reason = "Prodigy knows this key, anabranch does not carry it out yet"
        problem = Problem(code="unsupported-key", message=reason, value=entry.key)
    elif hint is None:
        problem = evolve(problem, expected="one of " + ", ".join(f"`{name}`" for name in known))
    return spot.key(entry.key).put(problem, entry.place)


def _missing(key: Key, place: Place, spot: Spot) -> Problem:
    problem = Problem(
        code="missing-key", message="a key is missing", value=key.name, expected=key.shape.expected
    )
    return spot.put(problem, place)


def either(
    *, scalar: Shape[T] | None = None, items: Shape[T] | None = None, entries: Shape[T]
) -> Shape[T]:
    """One of several shapes, told apart by the kind of node."""
    by_kind: dict[type[Node], Shape[T] | None] = {Scalar: scalar, Items: items, Entries: entries}
    shapes = [shape for shape in by_kind.values() if shape is not None]
    expected = ", or ".join(shape.expected for shape in shapes)

    def read(node: Node, spot: Spot) -> Result[T, Problems]:
        shape = by_kind[type(node)]
        return _wrong(node, spot, expected) if shape is None else shape.read(node, spot)

    return Shape(read, {"anyOf": [shape.schema for shape in shapes]}, expected)
