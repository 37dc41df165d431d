"""Execution takes resources as plans foresee them: one decision, asked by both."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success

from anabranch.effects import (
    Desk,
    Do,
    Effect,
    bracket,
    desk,
    do,
    now,
    par_all,
    sleep,
    succeed,
    timeout,
)
from anabranch.interpreters import run
from anabranch.interpreters.virtual import run_virtual
from anabranch.planning import (
    Claim,
    CommandGraph,
    Limits,
    RateLimit,
    Schedule,
    plan_schedule,
    schedule_violations,
)
from anabranch.testing.strategies.graphs import claims_within, resource_limits

Visit: TypeAlias = tuple[timedelta, tuple[Claim, ...]]
SECOND = timedelta(seconds=1)


@st.composite
def visits(draw: st.DrawFn) -> tuple[Limits, list[Visit]]:
    """Limits, and how long each visitor stays with what."""
    limits = draw(resource_limits(slots=False))
    wanted = claims_within(limits).filter(bool)
    stay = st.integers(1, 9).map(lambda seconds: seconds * SECOND)
    return limits, draw(st.lists(st.tuples(stay, wanted), min_size=1, max_size=6))


@do
def stay(length: timedelta) -> Do[tuple[float, float], Any, object]:
    start = yield from now()
    yield from sleep(length)
    return start, (yield from now())


def executed(limits: Limits, visits: list[Visit], choices: list[int]) -> Schedule:
    """What happens if all come at once, in their order."""

    def serve(at: Desk) -> Effect[list[tuple[float, float]], Any, object]:
        return par_all(
            [
                at.holding(str(number), claims, stay(length), turn=(number,))
                for number, (length, claims) in enumerate(visits)
            ]
        )

    drawn = iter(choices)
    result = run_virtual(
        desk(limits).and_then(serve), choose=lambda count: next(drawn, 0) % count
    ).result
    pairs = [[timedelta(seconds=at) for at in pair] for pair in result.unwrap()]
    ends = tuple(end for _, end in pairs)
    return Schedule(
        starts=tuple(start for start, _ in pairs),
        ends=ends,
        makespan=max(ends),
        lower_bound=timedelta(),
        peak=0,
    )


@given(visits(), st.lists(st.integers(0, 9), max_size=30))
def test_what_is_held_is_never_more_than_there_is_whoever_wakes_first(
    given_visits: tuple[Limits, list[Visit]], choices: list[int]
) -> None:
    limits, visitors = given_visits
    graph = CommandGraph.from_edges(len(visitors), [])
    claims = [claims for _, claims in visitors]
    schedule = executed(limits, visitors, choices)
    assert [] == schedule_violations(graph, schedule, limits=limits, claims=claims)


@given(visits())
def test_execution_is_the_schedule_that_was_planned(
    given_visits: tuple[Limits, list[Visit]],
) -> None:
    limits, visitors = given_visits
    lengths = sorted((length for length, _ in visitors), reverse=True)
    claims = [claims for _, claims in visitors]
    graph = CommandGraph.from_edges(len(visitors), [])
    planned = plan_schedule(graph, lengths, limits=limits, claims=claims)
    assert planned.starts == executed(limits, list(zip(lengths, claims, strict=True)), []).starts


def one_after_the_other(at: Desk) -> Effect[list[str], Any, object]:
    gpu = (Claim("gpu"),)
    return par_all([at.holding(name, gpu, sleep("1ms").as_(name)) for name in "abc"])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_all_have_their_turn_in_real_time(backend: Any) -> None:
    limits = Limits(pools={"gpu": 1}, rates={"api": RateLimit(starts=1, per=SECOND)})
    result = run(desk(limits).and_then(one_after_the_other), backend=backend)
    assert ["a", "b", "c"] == result.unwrap()


def test_one_who_is_cancelled_while_it_waits_leaves_the_queue() -> None:
    def serve(at: Desk) -> Effect[list[object], Any, object]:
        lock = (Claim("db"),)
        patient = at.holding("b", lock, now())
        hasty = timeout(at.holding("a", lock, sleep("1m")), "1s").recover(lambda _: 0.0)
        long = at.holding("first", lock, sleep("10s"))
        waits = sleep("100ms").and_then(lambda _: hasty)
        late = sleep("200ms").and_then(lambda _: patient)
        return par_all([long, waits, late])

    assert [None, 0.0, 10.0] == run_virtual(desk(Limits()).and_then(serve)).result.unwrap()


def test_those_of_one_name_wait_for_each_other_like_any_two() -> None:
    lock = (Claim("lock"),)

    def all_of_them(at: Desk) -> Effect[list[tuple[float, float]], Any, object]:
        return par_all([at.holding("same", lock, stay(SECOND)) for _ in range(3)])

    effect = desk(Limits(pools={"lock": 1})).and_then(all_of_them)
    assert Success([(0, 1), (1, 2), (2, 3)]) == run_virtual(effect).result


@given(st.lists(st.integers(0, 3), max_size=6), st.permutations(range(6)))
def test_those_who_wait_are_served_by_their_turn_and_then_as_they_came(
    turns: list[int], moments: list[int]
) -> None:
    served: list[int] = []
    lock = (Claim("db"),)

    def serve(at: Desk) -> Effect[list[None], Any, object]:
        def visit(number: int) -> Effect[None, Any, object]:
            use = succeed(number).map(served.append).tap(lambda _: sleep("1s"))
            held = at.holding("visitor", lock, use, turn=(turns[number],))
            return sleep(1 + moments[number]).and_then(lambda _: held)

        first = at.holding("first", lock, sleep("10s").as_(None))
        return par_all([first, *map(visit, range(len(turns)))])

    run_virtual(desk(Limits()).and_then(serve))
    came = sorted(range(len(turns)), key=lambda number: moments[number])
    assert sorted(came, key=lambda number: turns[number]) == served


def test_one_who_has_to_have_it_waits_for_it_even_if_it_is_cancelled() -> None:
    lock, log = (Claim("db"),), list[str]()

    def serve(at: Desk) -> Effect[list[object], Any, object]:
        must_have = bracket(
            at.holding("b", lock, succeed("it")),
            lambda it: succeed(f"released {it}").map(log.append),
            succeed,
        )
        return par_all([at.holding("a", lock, sleep("10s")), timeout(must_have, "1s").settled()])

    run = run_virtual(desk(Limits()).and_then(serve))
    assert (10, ["released it"]) == (run.elapsed, log)
