"""Paths to a field of an item: `a.b[0]['odd key']`.

One notation for filters, conditions, sorting, distinct and templates. A leading `item.`,
`$.` or `_.` means the item itself, so `$.a` and `a` are the same path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cached_property, lru_cache
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from anabranch.expressions.scanner import Scanner, quote
from anabranch.values import ConfigError, Json


class Missing(Enum):
    """The type of `MISSING`."""

    MISSING = "MISSING"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING
"""What a path gives where there is nothing; not the same as null."""

Key: TypeAlias = "str | int"

_NAME: Final = re.compile(r"[\w-]+")
_INDEX: Final = re.compile(r"-?\d{1,18}(?=\])")
_PLAIN: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_ROOTS: Final = ("item", "$", "_")
_QUOTED_ALWAYS: Final = frozenset(
    {"exists", "and", "or", "not", "in", "matches", "true", "false", "null"}
)
_EXPECTED: Final = "a path such as `a.b[0]` or `a['odd key']`"


def step(value: Json | Missing, key: Key) -> Json | Missing:
    """One step down: a name into an object, a number into an array (negative from its end)."""
    if isinstance(key, str):
        return value.get(key, MISSING) if isinstance(value, Mapping) else MISSING
    if isinstance(value, str) or not isinstance(value, Sequence):
        return MISSING
    return value[key] if -len(value) <= key < len(value) else MISSING


@frozen
class FieldPath:
    """A path, parsed once and followed many times.

    Attributes:
        keys: names and array indices, from the outside in; none is the item itself.
        root: `item` if the path was written with that word in front; where there is an item
            it means the item itself, in a scope of variables it is the variable of that name.

    >>> FieldPath(("tags", -1)).get({"tags": ["a", "b"]})
    'b'
    """

    keys: tuple[Key, ...]
    root: Literal["", "item"] = field(default="", kw_only=True)

    @cached_property
    def get(self) -> Callable[[Json], Json | Missing]:
        """The function that follows this path: item → the value there, or `MISSING`."""
        match self.keys:
            case () if self.root == "item":
                return _item_or_its_field
            case (str(name),):
                return _field_getter(name)
            case _:
                return self._follow

    def _follow(self, item: Json) -> Json | Missing:
        value: Json | Missing = item
        for key in self.keys:
            value = step(value, key)
        return value

    @property
    def names(self) -> tuple[Key, ...]:
        """The keys as seen from a scope of variables, where `item` is a variable."""
        return ("item", *self.keys) if self.root else self.keys

    def __str__(self) -> str:
        """A text that parses to the same path."""
        head, *rest = self.names or ("$",)
        plain_head = bool(self.root) or not self.keys or _is_plain_head(head)
        first = str(head) if plain_head else "$" + _written(head)
        return first + "".join(map(_written, rest))


def _is_plain_head(key: Key) -> bool:
    return isinstance(key, str) and _is_plain(key) and key not in _ROOTS


def _is_plain(key: str) -> bool:
    return bool(_PLAIN.fullmatch(key)) and key.lower() not in _QUOTED_ALWAYS


def _written(key: Key) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if _is_plain(key) else f"[{quote(key)}]"


def _field_getter(name: str) -> Callable[[Json], Json | Missing]:
    def get(item: Json) -> Json | Missing:
        return item.get(name, MISSING) if isinstance(item, dict) else step(item, name)

    return get


def _item_or_its_field(item: Json) -> Json | Missing:
    """`item` alone: the item, unless it is an object that has a field of that name."""
    return item["item"] if isinstance(item, Mapping) and "item" in item else item


@lru_cache(maxsize=512)
def parse_path(text: str) -> FieldPath:
    """Read a path.

    Dots between names, `[0]` and `[-1]` into arrays, `['odd key']` or `."odd key"` for names
    that are no plain words; a leading `item.`, `$.` or `_.` means the item itself.

    Raises:
        ConfigError: not a path; with the column where it stops being one.

    >>> parse_path("$.scores[-1].final").get({"scores": [{"final": 7}]})
    7
    >>> parse_path("scores[3]").get({"scores": []})
    MISSING
    >>> str(parse_path("_.a.'odd key'"))
    "a['odd key']"
    """
    scanner = Scanner(text.strip())
    path = read_path(scanner)
    if path is None or not scanner.done:
        rest = scanner.text[scanner.pos :] or "nothing"
        raise ConfigError(scanner.problem("bad-path", "not a path", value=rest, expected=_EXPECTED))
    return path


def read_path(scanner: Scanner) -> FieldPath | None:
    """Read the longest path that starts here; `None`, without moving, if none does."""
    if scanner.take("$"):
        return FieldPath(_read_keys(scanner))
    head = scanner.take_pattern(_NAME)
    if head is None:
        return None
    rest = _read_keys(scanner)
    if head == "item":
        return FieldPath(rest, root="item")
    return FieldPath(rest if head == "_" else (head, *rest))


def _read_keys(scanner: Scanner) -> tuple[Key, ...]:
    keys: list[Key] = []
    while True:
        start = scanner.pos
        key = _read_key(scanner)
        if key is None:
            scanner.pos = start
            return tuple(keys)
        keys.append(key)


def _read_key(scanner: Scanner) -> Key | None:
    if scanner.take("."):
        quoted = scanner.take_string()
        return scanner.take_pattern(_NAME) if quoted is None else quoted
    if not scanner.take("["):
        return None
    digits = scanner.take_pattern(_INDEX)
    key = scanner.take_string() if digits is None else int(digits)
    return key if scanner.take("]") else None
