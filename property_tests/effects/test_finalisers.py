"""When a race or a limit of time is over, whatever it cancelled has been cleaned up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from anabranch import Effect, bracket, par_try_all, race, sleep, succeed, timeout
from anabranch.interpreters.virtual import run_virtual
from property_tests.effects.virtual import BACKENDS, run_live

AnEffect = Effect[Any, Any, Any]


@define
class Ledger:
    """What was opened and what was closed, in order."""

    opened: list[int] = field(factory=list[int])
    closed: list[int] = field(factory=list[int])
    when_seen: tuple[int, int] | None = None

    def hold(self, use: AnEffect, slow: bool) -> AnEffect:
        """A resource with a name of its own each time, whose release may take a while."""

        def open_one(_: object) -> int:
            self.opened.append(len(self.opened))
            return self.opened[-1]

        def release(name: int) -> AnEffect:
            close = succeed(name).map(self.closed.append)
            return sleep(3).and_then(lambda _: close) if slow else close

        return bracket(sleep(1).map(open_one), release, lambda _: use)

    def see(self) -> AnEffect:
        """Write down what was opened and closed at the moment at which the end is seen."""

        def look(_: object) -> None:
            self.when_seen = len(self.opened), len(self.closed)

        return succeed(None).map(look)


Tree = Any
"""Seconds of waiting, or a way to combine trees."""

trees = st.recursive(
    st.integers(0, 9),
    lambda inner: st.one_of(
        st.tuples(st.just("hold"), inner, st.booleans()),
        st.tuples(st.just("race"), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.just("try"), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.just("limit"), inner, st.integers(1, 9)),
    ),
    max_leaves=8,
)


def grown(tree: Tree, ledger: Ledger) -> AnEffect:
    match tree:
        case ("hold", inner, slow):
            return ledger.hold(grown(inner, ledger), slow)
        case ("race", inner):
            return race([grown(each, ledger) for each in inner])
        case ("try", inner):
            return par_try_all([grown(each, ledger) for each in inner])
        case ("limit", inner, seconds):
            return timeout(grown(inner, ledger), seconds)
        case seconds:
            return sleep(seconds)


Run = Callable[[AnEffect], object]


def check(tree: Tree, end: Callable[[AnEffect], AnEffect], run: Run) -> None:
    ledger = Ledger()
    ended = end(grown(tree, ledger)).settled()
    run(ended.tap(lambda _: ledger.see()))
    assert Counter(ledger.opened) == Counter(ledger.closed)
    assert (len(ledger.opened), len(ledger.opened)) == ledger.when_seen


def limited(effect: AnEffect) -> AnEffect:
    return timeout(effect, 4)


def raced(effect: AnEffect) -> AnEffect:
    return race([effect, sleep(4), effect])


@given(trees, st.sampled_from([limited, raced]), st.sampled_from(BACKENDS))
def test_finalisers_have_run_once_when_the_end_is_seen(tree: Tree, end: Any, backend: Any) -> None:
    check(tree, end, lambda effect: run_live(effect, None, backend))


@given(trees, st.sampled_from([limited, raced]), st.randoms(use_true_random=False))
def test_under_every_schedule(tree: Tree, end: Any, chance: Any) -> None:
    check(tree, end, lambda effect: run_virtual(effect, choose=chance.randrange))
