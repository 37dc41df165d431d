"""Hints for names that are nearly right."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from typing import Final

_MOST: Final = 1000
"""Among more names the search takes long, and whoever made a thousand has a list of them."""


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Say which known name was probably meant, as the text of a hint; `None` if none is close.

    Upper and lower case are the same for this purpose; of two equally close names the first
    in alphabetical order is offered. Nothing is offered out of more than a thousand.

    >>> did_you_mean("max_paralel", ["name", "max_parallel"])
    'did you mean `max_parallel`?'
    >>> did_you_mean("x", ["name"])
    """
    candidates = list(islice(known, _MOST + 1))
    if len(candidates) > _MOST:
        return None
    by_folded = {candidate.casefold(): candidate for candidate in sorted(candidates, reverse=True)}
    close = get_close_matches(name.casefold(), sorted(by_folded), n=1)
    return f"did you mean `{by_folded[close[0]]}`?" if close else None
