"""Trailers: what `git interpret-trailers --parse` reads at the end of a message."""

from __future__ import annotations

import re
from typing import Final

from anabranch.testing.git.faults import NotModelled

_TRAILER: Final = re.compile(r"([A-Za-z0-9-]+)[ \t]*:[ \t]*(.*)")
_RECOGNISED: Final = ("Signed-off-by: ", "(cherry picked from commit ")


def trailers_of(message: str) -> tuple[tuple[str, str], ...]:
    r"""The trailers of a commit message, with folded values on one line.

    >>> trailers_of("Merge it\n\nAgent: a\nNote: one\n  two\n")
    (('Agent', 'a'), ('Note', 'one two'))

    Raises:
        NotModelled: a last paragraph of which git takes a part.
    """
    paragraphs = re.split(r"\n[ \t]*\n", message.strip("\n"))
    if len(paragraphs) == 1:
        return ()
    found: list[tuple[str, str]] = []
    for line in paragraphs[-1].split("\n"):
        pair = _TRAILER.fullmatch(line)
        if pair is not None:
            found.append((pair[1], pair[2].strip()))
        elif found and line[:1].isspace():
            name, value = found[-1]
            found[-1] = name, f"{value} {line.strip()}"
        elif any(part in paragraphs[-1] for part in _RECOGNISED):
            raise NotModelled(f"a paragraph of trailers and other lines: {line!r}")
        else:
            return ()
    return tuple(found)
