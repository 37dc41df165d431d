from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from anabranch.planning.graph import CommandGraph
from anabranch.planning.resources import Claim, Limits
from anabranch.planning.schedule import (
    Schedule,
    enough_slots,
    forecast_slots,
    most_urgent_first,
    plan_schedule,
)
from anabranch.planning.verification import batch_violations, schedule_violations
from anabranch.testing.strategies.graphs import (
    claims_within,
    command_graphs,
    durations_of,
    resource_limits,
)

SLOT = Claim("slot")


@frozen(kw_only=True)
class Given:
    graph: CommandGraph
    durations: Sequence[timedelta]
    limits: Limits
    claims: Sequence[tuple[Claim, ...]]

    def planned(self) -> Schedule:
        return plan_schedule(self.graph, self.durations, limits=self.limits, claims=self.claims)


@st.composite
def plans(draw: st.DrawFn, *, claiming: bool = True) -> Given:
    graph = draw(command_graphs(max_size=6))
    limits = draw(resource_limits())
    claims = [draw(claims_within(limits)) for _ in graph.names] if claiming else []
    return Given(graph=graph, durations=draw(durations_of(graph)), limits=limits, claims=claims)


@given(plans())
def test_a_schedule_keeps_every_dependency_and_every_limit(plan: Given) -> None:
    schedule = plan.planned()
    found = schedule_violations(plan.graph, schedule, limits=plan.limits, claims=plan.claims)
    assert [] == found
    for start, end, duration in zip(schedule.starts, schedule.ends, plan.durations, strict=True):
        assert end - start == duration


@given(plans(claiming=False))
def test_a_schedule_of_slots_alone_is_within_the_bound_that_graham_proved(plan: Given) -> None:
    schedule = plan.planned()
    path = plan.graph.critical_path(plan.durations).length
    slots = plan.limits.slots
    if slots is None:
        assert path == schedule.makespan
    else:
        work = sum(plan.durations, timedelta())
        assert schedule.makespan * slots <= work + path * (slots - 1)
        assert schedule.peak <= slots


@given(plans(claiming=False))
def test_a_pool_of_which_everyone_takes_one_unit_is_the_same_as_slots(plan: Given) -> None:
    slots = plan.limits.slots or 2
    with_slots = plan_schedule(plan.graph, plan.durations, limits=Limits(slots=slots))
    claims = [(SLOT,)] * len(plan.graph.names)
    pooled = Limits(pools={"slot": slots})
    with_pool = plan_schedule(plan.graph, plan.durations, limits=pooled, claims=claims)
    assert with_slots.starts == with_pool.starts


@given(plans(claiming=False))
def test_one_slot_takes_as_long_as_all_the_work(plan: Given) -> None:
    schedule = plan_schedule(plan.graph, plan.durations, limits=Limits(slots=1))
    assert sum(plan.durations, timedelta()) == schedule.makespan == schedule.lower_bound


@given(plans(claiming=False))
def test_what_is_more_urgent_never_waits_for_what_is_less_urgent(plan: Given) -> None:
    urgency = most_urgent_first(plan.graph, plan.durations)
    for before, after in plan.graph.edges:
        if plan.durations[before]:
            assert urgency.index(before) < urgency.index(after)


@given(plans(claiming=False))
def test_a_graph_whose_edges_are_dissolved_into_joins_has_the_same_schedule(plan: Given) -> None:
    count = len(plan.graph.names)
    needed = [on for on in plan.graph.waits if on]
    index = iter(range(count, count + len(needed)))
    waits = [(next(index),) if on else () for on in plan.graph.waits]
    joined = CommandGraph(names=plan.graph.names, waits=(*waits, *needed))
    assert plan.graph.edges == joined.edges
    assert plan.planned().starts == evolve(plan, graph=joined).planned().starts


@given(plans(claiming=False))
def test_a_forecast_for_each_number_of_slots_is_the_schedule_for_it(plan: Given) -> None:
    forecasts = forecast_slots(plan.graph, plan.durations)
    for forecast in forecasts:
        limits = Limits(slots=forecast.slots)
        assert (
            forecast.makespan == plan_schedule(plan.graph, plan.durations, limits=limits).makespan
        )
    beyond = plan_schedule(plan.graph, plan.durations)
    assert beyond.makespan == forecasts[-1].makespan
    assert list(range(1, len(forecasts) + 1)) == [forecast.slots for forecast in forecasts]
    best = min(forecast.makespan for forecast in forecasts)
    enough = forecasts[enough_slots(forecasts) - 1]
    assert enough.makespan <= best * 1.05
    assert all(forecast.makespan > best * 1.05 for forecast in forecasts[: enough.slots - 1])


@given(plans(claiming=False), st.data())
def test_a_command_moved_to_an_earlier_start_breaks_a_law_or_changes_no_other(
    plan: Given, data: st.DataObject
) -> None:
    schedule = plan.planned()
    moved = [at for at, start in enumerate(schedule.starts) if start and plan.durations[at]]
    if not moved:
        return
    at = data.draw(st.sampled_from(moved))
    latest = max((schedule.ends[b] for b in plan.graph.dependencies[at]), default=timedelta())
    start = latest - timedelta(seconds=1)
    starts = (*schedule.starts[:at], start, *schedule.starts[at + 1 :])
    codes = {p.code for p in schedule_violations(plan.graph, evolve(schedule, starts=starts))}
    assert bool(plan.graph.dependencies[at]) == ("too-early" in codes)


@given(command_graphs())
def test_the_batches_of_a_graph_violate_nothing(graph: CommandGraph) -> None:
    assert [] == batch_violations(graph, graph.parallel_batches())


@given(command_graphs(), st.data())
def test_two_batches_in_one_are_a_violation(graph: CommandGraph, data: st.DataObject) -> None:
    batches = graph.parallel_batches()
    if len(batches) < 2:
        return
    at = data.draw(st.integers(0, len(batches) - 2))
    merged = [*batches[:at], batches[at] + batches[at + 1], *batches[at + 2 :]]
    assert "too-early" in {problem.code for problem in batch_violations(graph, merged)}


@given(command_graphs(), st.data())
def test_a_command_left_out_or_planned_twice_is_a_violation(
    graph: CommandGraph, data: st.DataObject
) -> None:
    batches = graph.parallel_batches()
    if not batches:
        return
    assert "missing" in {p.code for p in batch_violations(graph, [batches[0][1:], *batches[1:]])}
    twice = data.draw(st.sampled_from(batches))[0]
    assert "twice" in {p.code for p in batch_violations(graph, [*batches, [twice]])}
