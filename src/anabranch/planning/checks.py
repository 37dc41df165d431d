"""Checks shared by the values of this room: each finds problems, one place raises them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from anabranch.values import ConfigError, Location, Problem


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
