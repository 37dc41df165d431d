"""A validator for the part of JSON Schema (draft 2020-12) that the schema of workflows uses.

It refuses a schema with any other keyword, so that it cannot pass by not understanding.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}
_ABOUT = {"$schema", "$defs", "title", "description"}

_Rule = tuple[str | None, Callable[[Any, Any, Any, Any], bool]]
"""The type that a keyword is about, and its test of: argument, value, whole schema, root."""


def _has_type(names: str | list[str], value: Any) -> bool:
    return any(_TYPES[name](value) for name in ([names] if isinstance(names, str) else names))


def _others(value: Any, schema: Any) -> list[Any]:
    return [value[key] for key in set(value) - set(schema.get("properties", ()))]


_RULES: dict[str, _Rule] = {
    "type": (None, lambda a, v, _s, _r: _has_type(a, v)),
    "enum": (None, lambda a, v, _s, _r: v in a),
    "oneOf": (None, lambda a, v, _, root: sum(_accepts(one, v, root) for one in a) == 1),
    "anyOf": (None, lambda a, v, _, root: any(_accepts(one, v, root) for one in a)),
    "$ref": (None, lambda a, v, _, root: _accepts(root["$defs"][a.split("/")[-1]], v, root)),
    "minimum": ("number", lambda a, v, _s, _r: v >= a),
    "maximum": ("number", lambda a, v, _s, _r: v <= a),
    "exclusiveMinimum": ("number", lambda a, v, _s, _r: v > a),
    "pattern": ("string", lambda a, v, _s, _r: re.search(a, v) is not None),
    "minItems": ("array", lambda a, v, _s, _r: len(v) >= a),
    "items": ("array", lambda a, v, _, root: all(_accepts(a, one, root) for one in v)),
    "required": ("object", lambda a, v, _s, _r: set(a) <= set(v)),
    "properties": (
        "object",
        lambda a, v, _, root: all(_accepts(a[k], v[k], root) for k in set(a) & set(v)),
    ),
    "propertyNames": ("object", lambda a, v, _, root: all(_accepts(a, k, root) for k in v)),
    "additionalProperties": (
        "object",
        lambda a, v, schema, root: all(
            a is not False and _accepts(a, other, root) for other in _others(v, schema)
        ),
    ),
}


def accepts(schema: dict[str, Any], value: Any) -> bool:
    """Whether the schema accepts the value."""
    return _accepts(schema, value, schema)


def _accepts(schema: Any, value: Any, root: Any) -> bool:
    return all(_holds(name, schema, value, root) for name in schema if name not in _ABOUT)


def _holds(name: str, schema: Any, value: Any, root: Any) -> bool:
    about, test = _RULES[name]
    return (about is not None and not _TYPES[about](value)) or test(
        schema[name], value, schema, root
    )
