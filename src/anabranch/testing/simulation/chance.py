"""Chance: the one place that every choice of a simulated run comes from.

Who goes first, how long a command takes, whether a write fails: each is a number below a bound,
asked for in an order that follows from the numbers before it. So a list of numbers *is* a run.
It comes from a seed, from a list (a replay, which goes on with 0 where the list ends) or from
Hypothesis; 0 is always the plainest answer: the one who waited longest goes first, nothing fails.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from hypothesis.strategies import DataObject

    from anabranch.interpreters.strands import Turn

Source = Callable[[int, float], int]
"""Answers a number below the first argument, other than 0 about as often as the second says."""


@final
class Chance:
    """What a run asks when anything may come, and the record of what came.

    Args:
        source: where the numbers come from; by default all are 0.
        order: which of several strands goes on; by default the source says it.

    Attributes:
        taken: the numbers, in order.
        touched: where to note what is touched, as names and whether they are written; `None`
            if nobody wants to know.
    """

    __slots__ = ("_order", "_source", "taken", "touched")

    def __init__(
        self,
        source: Source = lambda _options, _rate: 0,
        order: Callable[[list[Turn]], int] | None = None,
    ) -> None:
        self._source = source
        self._order = order
        self.taken: list[int] = []
        self.touched: dict[str, bool] | None = None

    def pick(self, options: int, *, given: int | None = None) -> int:
        """A number from 0 to `options - 1`, all equally likely. One option is no choice.

        Args:
            options: how many answers there are.
            given: the answer, if it is decided already: it is written down all the same.
        """
        if options < 2:  # noqa: PLR2004 (one option is no choice)
            return 0
        choice = self._source(options, 1 - 1 / options) if given is None else given
        self.taken.append(choice)
        return choice

    def rarely(self, options: int, rate: float) -> int:
        """A number from 0 to `options - 1`, and 0 unless something rare happens.

        Args:
            options: how many answers there are.
            rate: how likely it is that the answer is not 0, from 0 to 1; at 0 nobody asks.
        """
        if options < 2 or not rate:  # noqa: PLR2004 (one option is no choice)
            return 0
        choice = self._source(options, rate)
        self.taken.append(choice)
        return choice

    def given(self, choice: int) -> int:
        """Take a number that is decided already, and write it down like one that was asked for."""
        self.taken.append(choice)
        return choice

    def between(self, least: float, most: float) -> float:
        """One of 1,024 numbers from `least` to `most`, as for a duration."""
        if least == most:
            return least
        choice = self._source(1024, 1023 / 1024)
        self.taken.append(choice)
        return least + (most - least) * choice / 1023

    def touch(self, name: str, *, write: bool = True) -> None:
        """Say that something shared is read or written in this turn, for `explore`."""
        if self.touched is not None:
            self.touched[name] = write or self.touched.get(name, False)

    def turn(self, turns: list[Turn]) -> int:
        """Which of several strands goes on."""
        options = len(turns)
        if self._order is None:
            choice = self._source(options, 1 - 1 / options)
        else:
            choice = self._order(turns)
        self.taken.append(choice)
        return choice


def seeded(seed: int) -> Source:
    """Numbers that follow from a seed."""
    number = random.Random(seed).random  # noqa: S311 (a simulation, not a secret)

    def source(options: int, rate: float) -> int:
        drawn = number()
        return 0 if drawn >= rate else 1 + int(drawn / rate * (options - 1))

    return source


def replayed(numbers: Iterable[int]) -> Source:
    """Numbers from a list, and 0 after its end; one that is too big is the biggest there is."""
    rest: Iterator[int] = iter(numbers)
    return lambda options, _rate: min(next(rest, 0), options - 1)


def drawn(data: DataObject) -> Source:
    """Numbers that Hypothesis draws, and shrinks, from `data` of `strategies.data()`."""
    from hypothesis import strategies as st

    return lambda options, _rate: data.draw(st.integers(0, options - 1))
