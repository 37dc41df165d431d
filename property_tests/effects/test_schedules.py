"""What is given out when, and what counts in the end: the schedules, without anything that runs."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from anabranch import EmptyRace, GraphError, succeed
from anabranch.effects.graphs import plan_graph
from anabranch.effects.schedules import Fold, Graph, Race, Try
from anabranch.testing.strategies.graphs import acyclic_edges

Needs = dict[int, list[int]]


@st.composite
def graphs(draw: st.DrawFn) -> Needs:
    """What each key needs; the keys stand in any order."""
    count, edges = draw(acyclic_edges(max_size=7))
    keys = draw(st.permutations(range(count)))
    return {key: [first for first, then in edges if then == key] for key in keys}


def lengths(needs: Needs) -> dict[int, float]:
    """How many effects lie on the longest way from each key to the end."""

    @cache
    def length(key: int) -> int:
        return 1 + max((length(other) for other in needs if key in needs[other]), default=0)

    return {key: length(key) for key in needs}


@given(
    graphs(),
    st.dictionaries(st.integers(0, 6), st.integers(0, 3)) | st.none(),
    st.sets(st.integers(0, 6)),
    st.integers(1, 3),
    st.randoms(use_true_random=False),
)
def test_a_graph_gives_out_the_most_urgent_of_what_has_all_it_needs(
    needs: Needs, priority: dict[int, float] | None, failing: set[int], limit: int, chance: Any
) -> None:
    if priority is not None:
        priority = {key: priority[key] for key in priority if key in needs}
    plan = plan_graph(needs, needs, priority)
    schedule = Graph(dict.fromkeys(needs, succeed(0)), plan.dependents, plan.missing, plan.ranks)
    urgency = lengths(needs) if priority is None else priority
    begun, at_work, done, failed = list[int](), list[int](), set[int](), set[int]()
    while True:
        while len(at_work) < limit:
            ready = [key for key in needs if key not in begun and done.issuperset(needs[key])]
            assert bool(ready) == bool(schedule.more)
            if (job := schedule.pull()) is None:
                assert [] == ready
                break
            assert max(ready, key=lambda key: urgency.get(key, 0)) == job[0]
            begun.append(job[0])
            at_work.append(job[0])
        if not at_work:
            break
        key = at_work.pop(chance.randrange(len(at_work)))
        (failed if key in failing else done).add(key)
        assert not (schedule.failed(key, "no") if key in failing else schedule.succeeded(key, 1))
    check_end(needs, schedule.finish(), done, failed)


def check_end(needs: Needs, end: Any, done: set[int], failed: set[int]) -> None:
    """Each value, each error, and what was skipped, with a failed key that it needs."""
    if not failed:
        assert Success(dict.fromkeys(needs, 1)) == end
        return
    error: GraphError[int, int, str] = end.failure()
    assert (dict.fromkeys(done, 1), dict.fromkeys(failed, "no")) == (error.successes, error.errors)
    assert needs.keys() - done - failed == error.skipped.keys()
    for key, why in error.skipped.items():
        above = set[int]()
        waiting = [key]
        while waiting:
            above.update(found := needs[waiting.pop()])
            waiting.extend(found)
        assert why in above & failed
    for part in (error.successes, error.errors, error.skipped):
        assert [key for key in needs if key in part] == list(part)


completions = st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=4)


@given(completions)
def test_what_fails_fast_ends_as_the_first_failure_whatever_comes_later(
    completed: list[tuple[bool, int]],
) -> None:
    everything = [succeed(value) for _, value in completed]
    schedules = (Try(everything), Fold(everything, (), lambda seen, value: (*seen, value)))
    for schedule in schedules:
        for key, (fine, value) in enumerate(completed):
            told = schedule.succeeded if fine else schedule.failed
            assert fine is not told(key, value)
    errors = [Failure(value) for fine, value in completed if not fine]
    values = [value for _, value in completed]
    ends = [schedule.finish() for schedule in schedules]
    assert [[*errors, Success(values)][0], [*errors, Success(tuple(values))][0]] == ends


@given(completions)
def test_a_race_ends_as_its_first_runner_whatever_comes_later(
    completed: list[tuple[bool, int]],
) -> None:
    race = Race([succeed(value) for _, value in completed])
    for key, (fine, value) in enumerate(completed):
        assert (race.succeeded if fine else race.failed)(key, value)
    ends = [Success(value) if fine else Failure(value) for fine, value in completed]
    assert [*ends, Failure(EmptyRace())][0] == race.finish()
