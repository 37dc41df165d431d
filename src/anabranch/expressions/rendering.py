"""How a value becomes text, and the filters of references (`${path:json}`)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeGuard

from anabranch.expressions.paths import FieldPath
from anabranch.values import Json

GIT_LISTS: Final = frozenset(
    {"files_added", "files_modified", "files_deleted", "files_changed", "files_renamed", "commits"}
)
"""Fields that hold a list from git; as text their elements are joined by a space."""

_POSITIONAL: Final = 1e16
"""From here on Python, and JSON with it, writes whole numbers with an exponent."""


def separator(path: FieldPath) -> str:
    """What joins the elements of the list at a path: a space in git lists, `, ` elsewhere."""
    return " " if path.keys and path.keys[-1] in GIT_LISTS else ", "


def render(value: Json, joint: str = ", ") -> str:
    """A value as text.

    Strings as they are, numbers without a spurious `.0`, booleans `true` and `false`, null
    empty, arrays of scalars joined, everything else compact JSON.

    >>> [render(value) for value in ("a b", 5.0, True, None, ["x", 1], [[1]], {"k": "é"})]
    ['a b', '5', 'true', '', 'x, 1', '[[1]]', '{"k":"é"}']
    """
    if is_list(value):
        if all(map(_is_scalar, value)):
            return joint.join(map(render_scalar, value))
        return to_json(value)
    return render_scalar(value)


def render_scalar(value: Json) -> str:
    """A value that is one word: an array too is written as JSON."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < _POSITIONAL:
            return str(int(value))
        case _:
            return to_json(value)


def to_json(value: Json) -> str:
    """Compact JSON, letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def is_list(value: Json) -> TypeGuard[Sequence[Json]]:
    """Whether a value is an array."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_scalar(value: Json) -> bool:
    return isinstance(value, str) or not isinstance(value, Sequence | Mapping)


def _plain(value: Mapping[str, Json] | Sequence[Json]) -> object:
    """Mappings and sequences that `json` does not know, as those that it knows."""
    return dict(value) if isinstance(value, Mapping) else list(value)


# --- filters -------------------------------------------------------------------------------------


def _lines(value: Json) -> Json:
    return "\n".join(map(render_scalar, value)) if is_list(value) else render(value)


def _csv(value: Json) -> Json:
    return ",".join(map(_csv_cell, value)) if is_list(value) else _csv_cell(value)


def _csv_cell(value: Json) -> str:
    """RFC 4180: what holds a comma, a quote or a line break is quoted."""
    text = render_scalar(value)
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\r\n]', text) else text


FORMATS: Final[Mapping[str, Callable[[Json], Json]]] = {
    "json": to_json,
    "lines": _lines,
    "csv": _csv,
}
"""The filters that have a name."""


def is_filter(text: str) -> bool:
    """Whether a text after a colon is a filter: one with a name, or a glob."""
    return text in FORMATS or bool(re.search(r"[*?\[]", text))


def apply_filter(name: str, value: Json) -> Json:
    """A filter's answer for a value.

    A glob keeps the texts that match: one without a slash looks at the last part of a path.

    >>> apply_filter("*.md", ["docs/a.md", "b.py"]), apply_filter("src/**/*.py", ["src/x/y.py"])
    (['docs/a.md'], ['src/x/y.py'])
    """
    if name in FORMATS:
        return FORMATS[name](value)
    matches = _glob(name)
    return [text for text in (value if is_list(value) else [value]) if matches(render_scalar(text))]


@lru_cache(maxsize=256)
def _glob(pattern: str) -> Callable[[str], bool]:
    expression = re.compile("".join(map(_glob_part, _GLOB_PARTS.findall(pattern))), re.DOTALL)
    whole = "/" in pattern

    def matches(text: str) -> bool:
        subject = text if whole else text.rsplit("/", 1)[-1]
        return expression.fullmatch(subject) is not None

    return matches


_GLOB_PARTS: Final = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)
_GLOB_WORDS: Final = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _glob_part(part: str) -> str:
    if part in _GLOB_WORDS:
        return _GLOB_WORDS[part]
    if len(part) > 1:
        negated = part.startswith("[!")
        return f"[{'^' if negated else ''}{_class(part[2 if negated else 1 : -1])}]"
    return re.escape(part)


def _class(members: str) -> str:
    return re.sub(r"([\\\]\[&~|^])", r"\\\1", members)
