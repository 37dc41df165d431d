"""Checks shared by the values of this room: each finds problems, one place raises them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar, cast

from attrs import AttrsInstance, evolve, fields, frozen

from anabranch.values import ConfigError, Location, Problem

Text = TypeVar("Text")
Value = TypeVar("Value")


def refuse(problems: Iterable[Problem]) -> None:
    """Raise everything that is wrong, at once; do nothing if all is well.

    Raises:
        ConfigError: with all the problems, in the order in which they came.
    """
    found = tuple(problems)
    if found:
        raise ConfigError(*found)


def at_least(name: str, value: int | None, low: int) -> Iterator[Problem]:
    """A count that may be absent, and otherwise is an integer no smaller than `low`."""
    if value is not None and (isinstance(value, bool) or value < low):
        yield out_of_range(name, value, f"a whole number, at least {low}")


def fraction(name: str, value: float | None) -> Iterator[Problem]:
    """A share that may be absent, and otherwise lies between 0 and 1, both included."""
    if value is not None and not 0 <= value <= 1:
        yield out_of_range(name, value, "a number from 0 to 1")


def out_of_range(name: str, value: object, expected: str) -> Problem:
    """The problem of a setting whose value cannot be used."""
    return Problem(
        code="out-of-range",
        message=f"`{name}` cannot be this",
        where=Location(path=name),
        value=repr(value),
        expected=expected,
    )


@frozen
class Refused:
    """Stands in a field for a value that could not be read, until all fields were looked at."""

    problems: tuple[Problem, ...]


def deferred(name: str, parse: Callable[[Text], Value], value: Text) -> Value:
    """Parse a setting; a refusal takes the place of the value, for `refusals` to find.

    An attrs converter that raises hides what is wrong with the other fields.
    """
    try:
        return parse(value)
    except ConfigError as error:
        at = (evolve(p, where=evolve(p.where, path=name)) for p in error.problems)
        return cast("Value", Refused(tuple(at)))


def refusals(value: AttrsInstance) -> Iterator[Problem]:
    """The problems of every field whose converter was `deferred`, in the order of the fields."""
    for attribute in fields(type(value)):
        content = getattr(value, attribute.name)
        if isinstance(content, Refused):
            yield from content.problems
