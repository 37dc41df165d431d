from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings

from anabranch.planning import Claim, Limits, from_json, plan_work_assignments, to_json
from anabranch.testing.strategies.workflows import plans
from anabranch.workflow import (
    Foresight,
    Plan,
    Workflow,
    foresee,
    make_plan,
    map_phase,
    map_reduce,
    plan_text,
    step,
)

SECOND = timedelta(seconds=1)

STEPS = [
    step("make", name="build", estimate="1m"),
    step("make lint", name="lint", parallel_safe=True, depends_on=["build"], estimate="30s"),
    step("make test", name="test", parallel_safe=True, depends_on=["build"], estimate="4m"),
]


def planned(items: int, workflow: Workflow) -> Plan:
    return make_plan(workflow, plan_work_assignments(list(range(items))))


def test_a_plan_tells_the_longest_chain_the_slack_and_where_more_agents_do_not_pay() -> None:
    plan = planned(8, map_reduce("w", map=map_phase("i", STEPS, max_parallel=4)))
    assert plan_text(plan).partition("expected\n")[2].splitlines() == [
        "  each agent: 5m 0s, the longest chain: build → test",
        "    to spare: lint 3m 30s",
        "  map, by agents at once: 1: 40m 0s, 2: 20m 0s, 3: 15m 0s, 4: 10m 0s, 5: 10m 0s, 6: 10m 0s, 7: 10m 0s, 8: 5m 0s",
        "    more than 8 at once do not pay",
        "  whole: 10m 0s with 4 at once, no less than 10m 0s",
    ]


def test_a_plan_without_estimates_expects_nothing() -> None:
    assert "expected" not in plan_text(planned(2, map_reduce("w", map=map_phase("i", ["ls"]))))


def test_what_agents_share_bounds_them_however_many_there_are() -> None:
    train = step("train", resources=[Claim("gpu")], estimate="10s")
    flow = map_reduce("w", map=map_phase("i", [train]), resources=Limits(pools={"gpu": 2}))
    seen = foresee(planned(6, flow))
    assert [60, 30, 30] == [at.makespan.seconds for at in seen.map][:3]
    assert 2 == seen.enough


def test_steps_without_an_estimate_take_what_they_took_in_the_same_phase_before() -> None:
    flow = map_reduce("w", map=map_phase("i", ["make  all", step("lint", estimate="9s"), "new"]))
    times = {("map", "make all"): [3 * SECOND, 5 * SECOND, 4 * SECOND], ("map", "lint"): [SECOND]}
    seen = foresee(planned(1, flow), {**times, ("setup", "new"): [8 * SECOND]})
    assert [(4, "history"), (9, "given"), (4, "guess")] == [
        (one.duration.seconds, one.source.value) for one in seen.agent.estimates
    ]
    assert "each agent: 17s" in plan_text(planned(1, flow), seen)


@settings(max_examples=30)
@given(plans())
def test_what_is_foreseen_is_never_below_its_bound_and_more_agents_never_make_it_longer(
    plan: Plan,
) -> None:
    seen = foresee(plan)
    times = [at.makespan for at in seen.map]
    assert times == sorted(times, reverse=True)
    assert all(at.lower_bound <= at.makespan + timedelta(microseconds=1) for at in seen.map)
    assert seen == from_json(to_json(seen), Foresight)
