"""What the YAML parser objects to, in words that help."""

from __future__ import annotations

import re
from typing import Final

from anabranch.values import Problem
from anabranch.values.yaml.nodes import Place, Spot

_UNPRINTABLE: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
"""All but the characters of YAML 1.2.2, section 5.1."""

_MOST: Final = 20
"""More problems of one kind than this help nobody."""

_EXPLANATIONS: Final = (
    (r"character '\\t'", "a tab where YAML wants spaces", "indent with spaces"),
    (
        r"character '(.+)' that cannot start any token",
        r"`\1` cannot begin a value",
        "put the value in quotes",
    ),
    (
        r"mapping values are not allowed here",
        "a key where none can be",
        "check the indentation; a value with `: ` in it needs quotes",
    ),
    (r"could not find expected ':'", "a key without a colon", "check the indentation"),
    (r"unexpected end of stream", "a quote that is not closed", None),
    (
        r"did not find expected key|expected <block end>|expected the node content",
        "the indentation does not fit",
        "entries of one list or mapping begin in the same column",
    ),
)


def unprintable(text: str, spot: Spot) -> tuple[Problem, ...]:
    r"""Report the characters that YAML does not allow, at most twenty; a binary file is one problem.

    >>> [str(p) for p in unprintable("a: \x07", Spot("flow.yml"))]
    ['flow.yml:1:4: a character that YAML does not allow: U+0007']
    """
    if "\0" in text:
        binary = Problem(code="binary-file", message="the file is binary", expected="YAML or JSON")
        return (spot.put(binary, _place(text, text.index("\0"))),)
    places = (m for m, _ in zip(_UNPRINTABLE.finditer(text), range(_MOST), strict=False))
    return tuple(
        spot.put(
            Problem(
                code="bad-character",
                message="a character that YAML does not allow",
                value=f"U+{ord(match.group()):04X}",
            ),
            _place(text, match.start()),
        )
        for match in places
    )


def _place(text: str, offset: int) -> Place:
    before = text[:offset]
    return Place(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def explain(said: str, text: str, place: Place, spot: Spot) -> Problem:
    """Say what the parser says, with the line that it does not understand."""
    message, hint = _in_words(said)
    lines = text.splitlines()
    line = lines[place.line - 1].strip() if place.line <= len(lines) else None
    return spot.put(Problem(code="bad-yaml", message=message, value=line or None, hint=hint), place)


def _in_words(said: str) -> tuple[str, str | None]:
    for pattern, message, hint in _EXPLANATIONS:
        match = re.search(pattern, said)
        if match:
            return match.expand(message), hint
    return f"not YAML: {said}", None
