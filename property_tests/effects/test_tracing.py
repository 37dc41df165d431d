"""What a tracer sees: each label once from its start to its end, inside of the label around it."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from anabranch import (
    Do,
    Effect,
    bracket,
    do,
    fail,
    from_function,
    par_all,
    par_all_limit,
    par_try_all,
    race,
    run,
    sleep,
    succeed,
    timeout,
)
from anabranch.effects.core import Exit
from anabranch.interpreters import Backend, Span
from anabranch.interpreters.virtual import Cancelled, run_virtual
from property_tests.effects.virtual import BACKENDS, run_live

AnEffect = Effect[Any, Any, Any]
End: TypeAlias = tuple[Exit, Any]


@define
class Recorder:
    """Writes down what it sees, in order: a span, and how it ended if this is its end."""

    seen: list[tuple[Span, End | None]] = field(factory=list[tuple[Span, End | None]])

    def started(self, span: Span) -> None:
        self.seen.append((span, None))

    def ended(self, span: Span, mode: Exit, payload: Any) -> None:
        self.seen.append((span, (mode, payload)))


class BoomError(Exception):
    """A defect."""


def raising(_: object) -> Any:
    raise BoomError


# --- where spans are ---------------------------------------------------------------------------

Tree: TypeAlias = Any
"""How a leaf ends, or a way to combine trees."""

labels = st.sampled_from(["context", "span"])
leaves = st.tuples(labels, st.tuples(st.sampled_from(["ok", "no", "boom"]), st.integers(0, 9)))
several = st.sampled_from(["all", "in turn", "try", "race", "steps"])
branches: st.SearchStrategy[Tree] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(several, st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.just("hold"), inner, inner, inner),
        st.tuples(st.sampled_from(["limit", "settled"]) | labels, inner),
    ),
    max_leaves=6,
)
trees = st.tuples(several, st.lists(branches, min_size=2, max_size=3))

Parents: TypeAlias = dict[str, str | None]
"""The label around each label."""


def grown(tree: Tree, parents: Parents, around: str | None = None) -> AnEffect:
    """The effect of a tree in which every label has a name of its own."""
    grow = partial(grown, parents=parents, around=around)
    match tree:
        case ("context" | "span") as kind, inner:
            label = str(len(parents))
            parents[label] = around
            effect = grown(inner, parents, label)
            return effect.context(label) if kind == "context" else effect.span(label)
        case "limit", inner:
            return timeout(grow(inner), 5)
        case "settled", inner:
            return grow(inner).settled()
        case "hold", acquire, release, use:
            acquired, released, used = map(grow, (acquire, release, use))
            return bracket(acquired, lambda _: released, lambda _: used)
        case kind, inner if kind in together:
            return together[kind]([grow(each) for each in inner])
        case end, seconds:
            return sleep(seconds).and_then(lambda _: ends[end]) if seconds else ends[end]
        case _:
            raise AssertionError(tree)


@do
def steps(effects: list[AnEffect]) -> Do[None, Any, Any]:
    """One after the other, whatever is raised on the way."""
    for effect in effects:
        try:
            yield from effect
        except (BoomError, ExceptionGroup):
            yield from succeed(None)


ends: dict[str, AnEffect] = {
    "ok": succeed(1),
    "no": fail("no"),
    "boom": from_function(raising),
}
together: dict[str, Callable[[list[AnEffect]], AnEffect]] = {
    "all": par_all,
    "in turn": lambda effects: par_all_limit(effects, 1),
    "try": par_try_all,
    "race": race,
    "steps": steps,
}


def check(tree: Tree, execute: Callable[[AnEffect, Recorder], object]) -> None:
    recorder, parents = Recorder(), Parents()
    effect = grown(tree, parents)
    with suppress(BoomError, ExceptionGroup, Cancelled):
        execute(effect, recorder)
    open_now: list[Span] = []
    for span, end in recorder.seen:
        if end is None:
            around = None if span.parent is None else span.parent.label
            assert parents[span.label] == around
            assert span.parent is None or any(span.parent is each for each in open_now)
            open_now.append(span)
        else:
            assert any(span is each for each in open_now)
            assert not any(span is each.parent for each in open_now)
            open_now = [each for each in open_now if each is not span]
    assert [] == open_now
    assert len({span.label for span, end in recorder.seen if end}) * 2 == len(recorder.seen)


moments = st.just(math.inf) | st.integers(0, 20).map(lambda seconds: seconds + 0.5)


@given(trees, moments, st.sampled_from(BACKENDS))
def test_each_span_ends_once_and_inside_of_the_label_around_it(
    tree: Tree, until: float, backend: Backend
) -> None:
    check(
        tree,
        lambda effect, tracer: run_live(effect, None, backend, cancel_at=until, tracer=tracer),
    )


@given(trees, moments, st.randoms(use_true_random=False))
def test_under_every_schedule(tree: Tree, until: float, chance: Any) -> None:
    check(
        tree,
        lambda effect, tracer: run_virtual(
            effect, choose=chance.randrange, cancel_at=until, tracer=tracer
        ),
    )


# --- what they tell ----------------------------------------------------------------------------


def labelled(kind: str, end: str, kinds: list[str]) -> AnEffect:
    effect = ends[end] if kind == "at once" else sleep(1).and_then(lambda _: ends[end])
    for number, each in enumerate(kinds):
        label = str(number)
        effect = effect.context(label) if each == "context" else effect.span(label)
    return effect


def classified(mode: Exit, payload: object) -> End:
    """An end, of which an exception is only its class."""
    return mode, BoomError if isinstance(payload, BoomError) else payload


def outcome(effect: AnEffect) -> End:
    try:
        result = run_live(effect, None, "asyncio")
    except BoomError as error:
        return classified(Exit.RAISED, error)
    match result:
        case Success(value):
            return Exit.OK, value
        case Failure(error):
            return Exit.FAILED, error
        case _:
            raise AssertionError(result)


@given(
    st.sampled_from(["at once", "later"]),
    st.sampled_from(list(ends)),
    st.lists(st.sampled_from(["context", "span"]), min_size=1, max_size=4),
)
def test_a_span_ends_as_what_is_inside_of_it_ends_without_it(
    kind: str, end: str, kinds: list[str]
) -> None:
    recorder = Recorder()
    effect = labelled(kind, end, kinds)
    with suppress(BoomError):
        run_live(effect, None, "asyncio", tracer=recorder)
    told = [classified(*end) for _, end in recorder.seen if end is not None]
    assert [outcome(labelled(kind, end, kinds[:n])) for n in range(len(kinds))] == told


def test_a_span_says_when_it_started() -> None:
    recorder = Recorder()
    run_virtual(sleep(2).and_then(lambda _: succeed(1).span("late")).span("early"), tracer=recorder)
    assert {"early": 0, "late": 2} == {span.label: span.started_at for span, _ in recorder.seen}


def test_ordinary_code_can_be_traced() -> None:
    recorder = Recorder()
    run(succeed(1).span("it"), tracer=recorder)
    assert [("it", None), ("it", (Exit.OK, 1))] == [(s.label, end) for s, end in recorder.seen]
