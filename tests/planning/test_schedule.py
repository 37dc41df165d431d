from __future__ import annotations

from datetime import timedelta

import pytest

from anabranch.planning.graph import CommandGraph
from anabranch.planning.resources import Claim, Limits, RateLimit
from anabranch.planning.schedule import (
    enough_slots,
    forecast_slots,
    most_urgent_first,
    plan_schedule,
)

SECOND = timedelta(seconds=1)


def seconds(*counts: float) -> list[timedelta]:
    return [count * SECOND for count in counts]


def test_the_longest_chain_goes_first() -> None:
    graph = CommandGraph.from_edges(4, [(2, 3)])
    durations = seconds(3, 3, 1, 4)
    assert (2, 3, 0, 1) == most_urgent_first(graph, durations)
    schedule = plan_schedule(graph, durations, limits=Limits(slots=2))
    assert seconds(0, 3, 0, 1) == list(schedule.starts)
    assert 6 * SECOND == schedule.makespan


def test_a_forecast_ends_where_another_slot_stays_empty() -> None:
    graph = CommandGraph.from_edges(4, [])
    forecasts = forecast_slots(graph, seconds(1, 1, 1, 3))
    assert seconds(6, 3, 3, 3) == [forecast.makespan for forecast in forecasts]
    assert 2 == enough_slots(forecasts)


def test_a_forecast_goes_no_further_than_it_is_asked_to() -> None:
    graph = CommandGraph.from_edges(4, [])
    assert 2 == len(forecast_slots(graph, seconds(1, 1, 1, 1), most=2))


def test_a_workflow_of_nothing_takes_no_time() -> None:
    graph = CommandGraph.from_edges(0, [])
    assert timedelta() == plan_schedule(graph, []).makespan
    assert 1 == enough_slots(forecast_slots(graph, []))


def test_every_command_needs_a_duration() -> None:
    with pytest.raises(ValueError, match="1 durations for 2"):
        plan_schedule(CommandGraph.from_edges(2, []), seconds(1))


def test_an_exclusive_lock_puts_its_holders_one_after_the_other() -> None:
    graph = CommandGraph.from_edges(3, [])
    claims = [[Claim("db")], [Claim("db")], []]
    schedule = plan_schedule(graph, seconds(2, 3, 1), claims=claims)
    assert seconds(3, 0, 0) == list(schedule.starts)
    assert 5 * SECOND == schedule.lower_bound == schedule.makespan


def test_a_rate_spreads_the_starts_and_the_bound_knows_it() -> None:
    graph = CommandGraph.from_edges(5, [])
    limits = Limits(rates={"api": RateLimit(starts=2, per=10 * SECOND)})
    schedule = plan_schedule(
        graph, seconds(1, 1, 1, 1, 1), limits=limits, claims=[[Claim("api")]] * 5
    )
    assert seconds(0, 0, 10, 10, 20) == list(schedule.starts)
    assert 20 * SECOND == schedule.lower_bound


def test_the_bound_sees_that_three_equal_commands_do_not_fit_two_slots_evenly() -> None:
    graph = CommandGraph.from_edges(3, [])
    schedule = plan_schedule(graph, seconds(2, 2, 2), limits=Limits(slots=2))
    assert 4 * SECOND == schedule.lower_bound == schedule.makespan


def test_a_long_chain_of_joins_needs_no_deep_stack() -> None:
    chain = tuple((node + 1,) for node in range(2, 20_000))
    graph = CommandGraph(names=("first", "last"), waits=((), (2,), *chain, (0,)))
    assert 2 * SECOND == plan_schedule(graph, seconds(1, 1)).makespan
