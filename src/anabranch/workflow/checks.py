"""What one value may be. The model checks itself with these, and so does the loader of files.

A check is a function from a value to the `Problem` it sees, which has no place yet: the
model adds the name of the attribute, the loader the line and column in the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sized
from datetime import timedelta
from typing import Any, TypeVar

from attrs import Attribute, evolve

from anabranch.values import ConfigError, Location, Problem

T = TypeVar("T")

Check = Callable[[T], Problem | None]
"""`None` when all is well."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def not_blank(value: str) -> Problem | None:
    """Refuse text that holds nothing, and text that no process could be given.

    >>> not_blank("echo hello") is None
    True
    >>> not_blank(" ").message
    'is blank'
    """
    if not value.strip():
        return Problem(code="blank", message="is blank", value=repr(value), expected="some text")
    return passable(value)


def passable(value: str) -> Problem | None:
    """Refuse text with a NUL character or half a surrogate pair: no process can be given it."""
    if "\0" in value:
        return Problem(
            code="nul", message="holds a NUL character", hint="no process can be given one"
        )
    try:
        value.encode()
    except UnicodeEncodeError as error:
        return Problem(
            code="bad-unicode",
            message="holds half of a surrogate pair",
            value=ascii(value[error.start]),
        )
    return None


def one_line(value: str) -> Problem | None:
    """Refuse a name that is blank or runs over several lines."""
    if len(value.splitlines()) > 1:
        return Problem(
            code="many-lines", message="has a line break", value=repr(value), expected="one line"
        )
    return not_blank(value)


def at_least(minimum: int) -> Check[int | None]:
    """Refuse a smaller number; `None` is no number, and well.

    >>> at_least(1)(0).expected
    'a whole number, 1 or more'
    """

    def check(value: int | None) -> Problem | None:
        if value is None or value >= minimum:
            return None
        return Problem(
            code="too-small",
            message="is too small",
            value=str(value),
            expected=f"a whole number, {minimum} or more",
        )

    return check


def not_empty(value: Sized) -> Problem | None:
    """Refuse a collection with nothing in it."""
    if len(value):
        return None
    return Problem(code="empty", message="is empty", expected="at least one step")


def lasting(value: timedelta | None) -> Problem | None:
    """Refuse a time limit that is over before it begins; `None` is no limit."""
    if value is None or value > timedelta():
        return None
    return Problem(
        code="too-small", message="is no time at all", expected="a duration above zero, `30s`"
    )


def variables(value: Mapping[str, str]) -> Problem | None:
    """Refuse names that no shell can use, and values that no process can be given.

    >>> variables({"PATH": "/bin"}) is None
    True
    >>> variables({"1": ""}).value
    "'1'"
    """
    return next(
        (p for name, text in value.items() for p in (variable_name(name), passable(text)) if p),
        None,
    )


def variable_name(value: str) -> Problem | None:
    """Refuse what no shell can use as the name of a variable."""
    if _VARIABLE.match(value):
        return None
    return Problem(
        code="bad-variable",
        message="is no name of an environment variable",
        value=repr(value),
        expected="letters, digits and `_`, the first no digit",
    )


def require(check: Check[T], value: T, path: str) -> None:
    """Raise what a check says of a value.

    Raises:
        ConfigError: the problem, at `path`.
    """
    problem = check(value)
    if problem is not None:
        raise ConfigError(evolve(problem, where=Location(path=path)))


def checked(check: Check[Any]) -> Callable[[object, Attribute[Any], Any], None]:
    """Make a check into a validator of an attrs field."""

    def validate(_instance: object, attribute: Attribute[Any], value: Any) -> None:
        require(check, value, attribute.name)

    return validate
