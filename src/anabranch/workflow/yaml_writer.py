"""Plain data → YAML text that a person would have written, in block style.

Text is written plain where YAML reads it back as that text, as a literal block where it has
several lines, and in JSON's double quotes otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from anabranch.values import Json
from anabranch.values.yaml import resolve

_PLAIN: Final = re.compile(r"[A-Za-z_./$](?!.*(: | #|:$| $))[ -~]*\Z")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_STEP: Final = "  "


def write_yaml(data: Mapping[str, Json]) -> str:
    r"""Write a mapping as a YAML document.

    >>> write_yaml({"name": "tidy", "count": 2, "steps": ["on: yes", "a\nb\n"]})
    'name: tidy\ncount: 2\nsteps:\n  - "on: yes"\n  - |\n    a\n    b\n'
    """
    return "".join(f"{line}\n" for line in _mapping(data))


def _mapping(data: Mapping[str, Json]) -> Iterator[str]:
    for key, value in data.items():
        written = key if _NAME.match(key) else json.dumps(key)
        yield from _entry(f"{written}:", value)


def _sequence(data: Sequence[Json]) -> Iterator[str]:
    for value in data:
        if isinstance(value, Mapping) and value:
            first, *rest = _mapping(value)
            yield f"- {first}"
            yield from _indented(iter(rest))
        else:
            yield from _entry("-", value)


def _entry(before: str, value: Json) -> Iterator[str]:
    match value:
        case Mapping() if value:
            yield before
            yield from _indented(_mapping(value))
        case str():
            first, *rest = _text(value)
            yield f"{before} {first}"
            yield from _indented(iter(rest))
        case Sequence() if value:
            yield before
            yield from _indented(_sequence(value))
        case _:
            yield f"{before} {json.dumps(value)}"


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"{_STEP}{line}" if line else line for line in lines)


def _text(text: str) -> list[str]:
    lines = text.split("\n")
    if len(lines) > 1 and _fits_a_block(lines):
        return _block(lines)
    if _PLAIN.match(text) and resolve(text) == text:
        return [text]
    return [json.dumps(text, ensure_ascii=not text.isprintable())]


def _fits_a_block(lines: list[str]) -> bool:
    begins = bool(lines[0]) and lines[0][0] not in " \t"
    return begins and all(line.replace("\t", "").isprintable() for line in lines)


def _block(lines: list[str]) -> list[str]:
    """A literal block; `-` says that no line break ends the text, `+` that all of them count."""
    if lines[-1]:
        return ["|-", *lines]
    if len(lines) > 2 and not lines[-2]:  # noqa: PLR2004
        return ["|+", *lines[:-1]]
    return ["|", *lines[:-1]]
