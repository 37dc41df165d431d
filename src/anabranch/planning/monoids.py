"""Monoids: what can be computed piece by piece, in any grouping, with one answer.

A monoid is an empty state, a way to lift one value to a state, and an associative way to combine
two states, for which the empty state changes nothing. So values may be combined as they come in
or all at the end, on one machine or on many. Here the laws hold exactly: sums, means and
variances are carried as fractions, in which every float has a place, and are rounded once, when
the answer is made.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from math import isfinite, isqrt
from operator import add
from typing import Any, Final, Generic, TypeVar

from attrs import field, frozen

from anabranch.expressions import FieldPath, Missing
from anabranch.expressions.rendering import render
from anabranch.planning.json_order import identity_key, order_key
from anabranch.planning.sorting import SortKey, sort_items
from anabranch.values import Json

State = TypeVar("State")
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@frozen(kw_only=True)
class Monoid(Generic[State]):
    """How to compute something piece by piece.

    Attributes:
        empty: the state of no values; combining with it changes nothing.
        lift: the state of one value that is accepted.
        combine: the state of all the values of two states, those of the first in front.
        finish: the answer.
        accepts: whether a value can be lifted.
        expected: what is accepted, for the text of errors.
        kind: values of different kinds do not go together; one kind for all by default.

    >>> SUM.finish(SUM.fold([0.1, 0.2, 0.3])), 0.1 + 0.2 + 0.3
    (0.6, 0.6000000000000001)
    """

    empty: State
    lift: Callable[[Any], State]
    combine: Callable[[State, State], State]
    finish: Callable[[State], Json]
    accepts: Callable[[Json], bool]
    expected: str
    kind: Callable[[Json], str] = field(default=lambda _: "")

    def fold(self, values: Iterable[Json]) -> State:
        """The state of all the values, which must be accepted.

        Neighbours of equal size are combined first, as in a binary counter: states grow to
        their full size a logarithmic number of times, not once for each value.
        """
        stack: list[tuple[int, State]] = []
        for value in values:
            size, state = 1, self.lift(value)
            while stack and stack[-1][0] == size:
                size, state = size * 2, self.combine(stack.pop()[1], state)
            stack.append((size, state))
        states = [state for _, state in reversed(stack)]
        return reduce(lambda later, earlier: self.combine(earlier, later), states, self.empty)


# --- numbers -----------------------------------------------------------------------------------


@frozen
class Moments:
    """How many numbers, their sum, the sum of their squares, and whether all were integers."""

    count: int = 0
    total: Fraction = Fraction()
    squares: Fraction = Fraction()
    whole: bool = True

    @property
    def mean(self) -> Fraction:
        """The arithmetic mean of at least one number."""
        return self.total / self.count

    @property
    def variance(self) -> Fraction:
        """The variance of at least one number, as a whole population."""
        return self.squares / self.count - self.mean**2


def _moments(value: float) -> Moments:
    exact = Fraction(value)
    return Moments(1, exact, exact * exact, isinstance(value, int))


def _add_moments(a: Moments, b: Moments) -> Moments:
    return Moments(a.count + b.count, a.total + b.total, a.squares + b.squares, a.whole and b.whole)


def rounded(number: Fraction) -> float:
    """The nearest float; beyond all floats, the integer part."""
    try:
        return float(number)
    except OverflowError:
        return int(number)


def root(number: Fraction) -> float:
    """The square root, rounded from at least 64 correct bits, whatever the magnitude."""
    shift = max(0, 128 + number.denominator.bit_length() - number.numerator.bit_length())
    scaled = isqrt((number.numerator << 2 * shift) // number.denominator)
    return rounded(Fraction(scaled, 1 << shift))


def _sum(state: Moments) -> Json:
    return int(state.total) if state.whole else rounded(state.total)


def _of_some(answer: Callable[[Moments], Json]) -> Callable[[Moments], Json]:
    return lambda state: answer(state) if state.count else None


def _median(numbers: tuple[float, ...]) -> Json:
    if not numbers:
        return None
    ordered, last = sorted(numbers), len(numbers) - 1
    return rounded((Fraction(ordered[last // 2]) + Fraction(ordered[(last + 1) // 2])) / 2)


def is_number(value: Json) -> bool:
    """Whether a value is a number of JSON; booleans are none, nor are infinity and NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _numeric(answer: Callable[[Moments], Json]) -> Monoid[Moments]:
    return Monoid(
        empty=Moments(),
        lift=_moments,
        combine=_add_moments,
        finish=answer,
        accepts=is_number,
        expected="a number",
    )


# --- arrays, texts and objects -----------------------------------------------------------------


def _listed(
    lift: Callable[[Any], tuple[Any, ...]],
    finish: Callable[[tuple[Any, ...]], Json] = list,
    accepts: Callable[[Json], bool] = lambda _: True,
    expected: str = "anything",
) -> Monoid[tuple[Any, ...]]:
    return Monoid(
        empty=(), lift=lift, combine=add, finish=finish, accepts=accepts, expected=expected
    )


def _just(value: Json) -> tuple[Json]:
    return (value,)


def _is_array(value: Json) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _chosen(choose: Callable[..., Json]) -> Monoid[tuple[Any, ...]]:
    """At most one value; of two, the one chosen by order, and of equals the first."""

    def combine(a: tuple[Any, ...], b: tuple[Any, ...]) -> tuple[Any, ...]:
        return (choose(a + b, key=order_key),) if a + b else ()

    return Monoid(
        empty=(),
        lift=_just,
        combine=combine,
        finish=lambda state: state[0] if state else None,
        accepts=lambda value: isinstance(value, str) or is_number(value),
        expected="a number or a text",
        kind=lambda value: "a text" if isinstance(value, str) else "a number",
    )


def _first_wins(a: Mapping[Key, Value], b: Mapping[Key, Value]) -> Mapping[Key, Value]:
    return {**a, **{key: value for key, value in b.items() if key not in a}}


def _join(
    a: Mapping[str, tuple[Json, ...]], b: Mapping[str, tuple[Json, ...]]
) -> Mapping[str, tuple[Json, ...]]:
    return {**a, **{key: a.get(key, ()) + values for key, values in b.items()}}


def sorting_monoid(order: Sequence[SortKey]) -> Monoid[tuple[Any, ...]]:
    """All values, in this order at the end."""
    return _listed(_just, lambda values: sort_items(values, order))


def grouping_monoid(path: FieldPath) -> Monoid[Mapping[str, tuple[Json, ...]]]:
    """All values, in groups by the text of a field; null and missing are the group `null`."""

    def lift(value: Json) -> Mapping[str, tuple[Json, ...]]:
        found = path.get(value)
        name = "null" if found is None or isinstance(found, Missing) else render(found)
        return {name: (value,)}

    return Monoid(
        empty={},
        lift=lift,
        combine=_join,
        finish=lambda groups: {name: list(values) for name, values in groups.items()},
        accepts=lambda _: True,
        expected="anything",
    )


COUNT: Final = Monoid[int](
    empty=0,
    lift=lambda value: int(value is not None),
    combine=add,
    finish=int,
    accepts=lambda _: True,
    expected="anything",
)
SUM: Final = _numeric(_sum)
AVERAGE: Final = _numeric(_of_some(lambda state: rounded(state.mean)))
VARIANCE: Final = _numeric(_of_some(lambda state: rounded(state.variance)))
STD_DEV: Final = _numeric(_of_some(lambda state: root(state.variance)))
MEDIAN: Final = _listed(_just, _median, is_number, "a number")
MIN: Final = _chosen(min)
MAX: Final = _chosen(max)
COLLECT: Final = _listed(_just)
FLATTEN: Final = _listed(tuple, accepts=_is_array, expected="an array")
CONCAT: Final = Monoid[str](
    empty="",
    lift=str,
    combine=add,
    finish=str,
    accepts=lambda value: isinstance(value, str),
    expected="a text",
)
MERGE: Final = Monoid[Mapping[str, Json]](
    empty={},
    lift=dict,
    combine=_first_wins,
    finish=dict,
    accepts=lambda value: isinstance(value, Mapping),
    expected="an object",
)
UNIQUE: Final = Monoid[Mapping[Hashable, Json]](
    empty={},
    lift=lambda value: {identity_key(value): value},
    combine=_first_wins,
    finish=lambda state: list(state.values()),
    accepts=lambda _: True,
    expected="anything",
)
