"""Names in a scope: variables, some of them named with dots, some of them JSON as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias

from anabranch.expressions.paths import MISSING, FieldPath, Key, Missing, step
from anabranch.values import Json

Scope: TypeAlias = Mapping[str, Json]
"""Variables by name. A name may hold dots (`build.exit_code`); it then wins over the nested one."""


def lookup(scope: Scope, path: FieldPath) -> Json | Missing:
    """The value of a path in a scope, or `MISSING`.

    >>> lookup({"a.b": "flat", "a": {"b": "nested"}}, FieldPath(("a", "b")))
    'flat'
    >>> lookup({"r": '{"n": 1}'}, FieldPath(("r", "n")))
    1
    """
    keys = path.names
    if not keys:
        return scope
    found: Json | Missing = MISSING
    for count in range(_leading_names(keys), 0, -1):
        name = ".".join(map(str, keys[:count]))
        if name in scope:
            found = _descend(scope[name], keys[count:])
            if found is not MISSING:
                return found
    return found


def is_known(scope: Scope, head: str) -> bool:
    """Whether the first part of a path is a name of the scope."""
    return head in scope or any(name.startswith(f"{head}.") for name in scope)


def names_beside(scope: Scope, path: FieldPath) -> tuple[str, ...]:
    """What the scope has in the place where a path finds nothing, for messages."""
    keys = path.names
    for count in range(len(keys) - 1, 0, -1):
        value = lookup(scope, FieldPath(keys[:count]))
        if value is not MISSING:
            return _inside(_opened(value))
    head = f"{keys[0]}." if keys and len(keys) > 1 else ""
    flat = [name.removeprefix(head) for name in scope if name.startswith(head)]
    return tuple(sorted(flat or scope))


def _inside(value: Json | Missing) -> tuple[str, ...]:
    match value:
        case Mapping():
            return tuple(map(str, value))
        case str() | bool() | int() | float() | None | Missing():
            return ()
        case _:
            return (f"[0] to [{len(value) - 1}]",) if value else ()


def _leading_names(keys: tuple[Key, ...]) -> int:
    return next((n for n, key in enumerate(keys) if isinstance(key, int)), len(keys))


def _descend(value: Json, keys: tuple[Key, ...]) -> Json | Missing:
    found: Json | Missing = value
    for key in keys:
        found = step(_opened(found), key)
    return found


def _opened(value: Json | Missing) -> Json | Missing:
    """A text that is JSON, as the value it says: what a step captured can be looked into."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        opened: Json = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return opened
