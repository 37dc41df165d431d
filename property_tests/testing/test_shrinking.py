"""Shrinking: what comes out still fails, is no bigger, and depends on nothing but what goes in."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from anabranch.testing.simulation import Chance, replayed
from anabranch.testing.simulation.shrinking import Choices, shrink, size, trimmed

choices = st.lists(st.integers(0, 5), max_size=12).map(tuple)


def fails(tried: Choices, needed: Choices) -> bool:
    """Whether what is needed comes in this order, with anything in between."""
    rest = iter(tried)
    return all(number in rest for number in needed)


@given(choices, choices)
def test_what_comes_out_still_fails_and_is_no_bigger(given_: Choices, needed: Choices) -> None:
    assume(fails(given_, needed))
    best = shrink(given_, lambda tried: tried if fails(tried, needed) else None)
    assert fails(best, trimmed(needed)) or fails((*best, 0), needed)
    assert size(best) <= size(trimmed(given_))


@given(choices)
def test_nothing_smaller_by_one_choice_fails(given_: Choices) -> None:
    best = shrink(given_, lambda tried: tried if sum(tried) > 4 else None)
    if sum(given_) > 4:
        less = [best[:place] + best[place + 1 :] for place in range(len(best))]
        assert [] == [candidate for candidate in less if sum(candidate) > 4]


@given(choices, st.lists(st.integers(1, 4), max_size=20))
def test_a_replay_takes_what_it_is_given_and_then_the_plainest(
    given_: Choices, options: list[int]
) -> None:
    chance = Chance(replayed(given_))
    taken = [chance.pick(option) for option in options]
    asked = [option for option in options if option > 1]
    padded = (*given_, *(0 for _ in asked))
    assert [min(n, o - 1) for n, o in zip(padded, asked, strict=False)] == chance.taken
    assert all(number < option for number, option in zip(taken, options, strict=True))
