"""The smallest choices under which a run still fails.

Not the program is made smaller but the list of choices that led through it, as in internal
test-case reduction (MacIver and Donaldson, "Test-Case Reduction via Test-Case Generation",
ECOOP 2020): every list of numbers is a run, so any edit of a list is worth a try. What counts as
small is what a person has to read: few choices that differ from the plain one, then few choices,
then small ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

Choices: TypeAlias = tuple[int, ...]

PATIENCE: Final = 400
"""How many runs a search for a smaller list may take."""


def shrink(
    choices: Sequence[int],
    attempt: Callable[[Choices], Choices | None],
    *,
    patience: int = PATIENCE,
) -> Choices:
    """Make a list of choices smaller for as long as the run still fails.

    Args:
        choices: a list under which it fails.
        attempt: runs with a list; the choices that were really taken if it still fails,
            and `None` if it does not.
        patience: how many attempts there may be.

    >>> shrink([3, 1, 4, 1, 5], lambda tried: tried if sum(tried) > 4 else None)
    (5,)
    """
    best = trimmed(choices)
    left = patience
    improved = True
    while improved:
        improved = False
        for candidate in _smaller(best):
            if left <= 0:
                return best
            left -= 1
            taken = attempt(candidate)
            if taken is not None and size(trimmed(taken)) < size(best):
                best, improved = trimmed(taken), True
                break
    return best


def size(choices: Choices) -> tuple[int, int, Choices]:
    """How much there is to read: the order in which lists are compared."""
    return sum(1 for choice in choices if choice), len(choices), choices


def trimmed(choices: Sequence[int]) -> Choices:
    """Without the zeros at the end, which is what comes after the end anyway."""
    length = len(choices)
    while length and not choices[length - 1]:
        length -= 1
    return tuple(choices[:length])


def _smaller(choices: Choices) -> Iterator[Choices]:
    """Lists that are smaller, the boldest first."""
    yield ()
    length = len(choices)
    for chunk in _chunks(length):
        for start in range(0, length, chunk):
            yield trimmed(choices[:start] + (0,) * chunk + choices[start + chunk :])
            yield trimmed(choices[:start] + choices[start + chunk :])
    for place, choice in enumerate(choices):
        for less in dict.fromkeys((choice // 2, choice - 1)):
            if 0 < less < choice:
                yield (*choices[:place], less, *choices[place + 1 :])
    for place, choice in enumerate(choices[:-1]):
        if choice and not choices[place + 1]:
            yield (*choices[:place], 0, choice, *choices[place + 2 :])


def _chunks(length: int) -> Iterator[int]:
    chunk = length // 2
    while chunk > 1:
        yield chunk
        chunk //= 2
    if length:
        yield 1
