"""What one value may be. The model checks itself with these, and so does the loader of files.

A check is a function from a value to the problems it sees, which have no place in a file yet:
the model adds the name of the attribute, the loader the line and column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Sized
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any, Final, TypeAlias, TypeVar

from attrs import Attribute, evolve

from anabranch.values import ConfigError, Problem

T = TypeVar("T")

Problems: TypeAlias = tuple[Problem, ...]

Check = Callable[[T], Problems]
"""Empty when all is well."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def passable(value: str) -> Problems:
    """Refuse text with a NUL character or half a surrogate pair: no process can be given it."""
    if "\0" in value:
        hint = "no process can be given one"
        return (Problem(code="nul", message="holds a NUL character", hint=hint),)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        half = ascii(value[error.start])
        return (Problem(code="bad-unicode", message="holds half of a surrogate pair", value=half),)
    return ()


def not_blank(value: str) -> Problems:
    """Refuse text that holds nothing.

    >>> not_blank("echo hello")
    ()
    >>> not_blank(" ")[0].message
    'is blank'
    """
    if value.strip():
        return passable(value)
    return (Problem(code="blank", message="is blank", value=repr(value), expected="some text"),)


def one_line(value: str) -> Problems:
    """Refuse a name that is blank or runs over several lines."""
    if len(value.splitlines()) < 2:  # noqa: PLR2004
        return not_blank(value)
    return (
        Problem(
            code="many-lines", message="has a line break", value=repr(value), expected="a line"
        ),
    )


def all_of(*checks: Check[T]) -> Check[T]:
    """Check one thing after another, and tell what the first of them has to say."""

    def check(value: T) -> Problems:
        return next((problems for one in checks if (problems := one(value))), ())

    return check


def inner_path(value: str) -> Problems:
    """Refuse a path that leads out of the directory it is taken from.

    >>> inner_path("../items.json")[0].expected
    'a path from the top of the worktree, without `..`'
    """
    if PurePosixPath(value).is_absolute() or ".." in PurePosixPath(value).parts:
        expected = "a path from the top of the worktree, without `..`"
        said = "leads out of the worktree"
        return (Problem(code="outer-path", message=said, value=value, expected=expected),)
    return one_line(value)


def parsed_by(parse: Callable[[str], object]) -> Check[str | None]:
    """Refuse what a parser refuses, with all that it says; `None` is no text, and well."""

    def check(value: str | None) -> Problems:
        if value is None:
            return ()
        try:
            parse(value)
        except ConfigError as error:
            return error.problems
        return passable(value)

    return check


def not_empty(value: Sized) -> Problems:
    """Refuse a collection with nothing in it."""
    if len(value):
        return ()
    return (Problem(code="empty", message="is empty", expected="at least one step"),)


def lasting(value: timedelta | None) -> Problems:
    """Refuse a time limit that is over before it begins; `None` is no limit."""
    if value is None or value > timedelta():
        return ()
    expected = "a duration above zero, such as `30s`"
    return (Problem(code="limit-zero", message="is no time at all", expected=expected),)


def variable_name(value: str) -> Problems:
    """Refuse what no shell can use as the name of a variable.

    >>> variable_name("1ST")[0].message
    'is no name of an environment variable'
    """
    if _VARIABLE.match(value):
        return ()
    return (
        Problem(
            code="bad-variable",
            message="is no name of an environment variable",
            value=repr(value),
            expected="letters, digits and `_`, the first no digit",
        ),
    )


def variable_names(value: Sequence[str]) -> Problems:
    """Refuse names that no shell can use."""
    return tuple(
        below(f"[{at}]", problem)
        for at, name in enumerate(value)
        for problem in variable_name(name)
    )


_CAPTURE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.output)?\Z")
_TAKEN: Final = frozenset({"agent", "item", "map", "merge", "step", "workflow"})


def capture_name(value: str) -> Problems:
    """Refuse what cannot be the name of a capture.

    >>> capture_name("item")[0].message
    'is the name of something else'
    """
    expected = "letters, digits and `_`, the first no digit"
    if not _CAPTURE.match(value):
        said = "is no name for a capture"
        return (Problem(code="bad-capture", message=said, value=value, expected=expected),)
    if value in _TAKEN:
        said = "is the name of something else"
        return (Problem(code="bad-capture", message=said, value=value),)
    return ()


def variables(value: Mapping[str, str]) -> Problems:
    """Refuse names that no shell can use, and values that no process can be given."""
    return tuple(p for pair in value.items() for p in (*variable_name(pair[0]), *passable(pair[1])))


def require(check: Check[T], value: T, path: str) -> None:
    """Raise what a check says of a value.

    Raises:
        ConfigError: the problems, at `path`.
    """
    problems = check(value)
    if problems:
        raise ConfigError(*(below(path, problem) for problem in problems))


def below(path: str, problem: Problem) -> Problem:
    """The problem of a part as the problem of the whole: its path goes on from here."""
    return evolve(problem, where=evolve(problem.where, path=path + (problem.where.path or "")))


def checked(check: Check[Any]) -> Callable[[object, Attribute[Any], Any], None]:
    """Make a check into a validator of an attrs field."""

    def validate(_instance: object, attribute: Attribute[Any], value: Any) -> None:
        require(check, value, attribute.name)

    return validate
