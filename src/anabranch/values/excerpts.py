"""Parts of texts, for people. What is cut has been masked before.

A secret of which a part was cut off is not known for a secret any more. So nothing is cut but
what has been masked: these are the only functions that shorten what people or programs said, and
they take a `Masked`. Whoever makes one without a `Masker` says in a comment why it holds no secret.
"""

from __future__ import annotations

from typing import NewType

Masked = NewType("Masked", str)
"""A text that may be shown: its secrets have been replaced."""


def shortened(text: Masked, width: int) -> Masked:
    """A text of at most so many characters.

    >>> shortened(Masked("correct horse"), 8)
    'correct…'
    """
    return text if len(text) <= width else Masked(f"{text[: width - 1]}…")


def in_one_line(text: Masked, width: int) -> Masked:
    r"""A text in one line of at most so many characters.

    >>> in_one_line(Masked("correct\n  horse"), 20)
    'correct horse'
    """
    return shortened(Masked(" ".join(text.split())), width)


def last_of(text: Masked, size: int) -> Masked:
    r"""The end of a text, in whole lines if it has several.

    >>> last_of(Masked("one\ntwo\nthree\n"), 10)
    'three\n'
    """
    if len(text) <= size:
        return text
    end = text[-size:]
    return Masked(end.partition("\n")[2] or end)
