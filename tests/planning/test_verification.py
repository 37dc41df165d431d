from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from anabranch.planning.graph import CommandGraph
from anabranch.planning.resources import Claim, Limits, RateLimit
from anabranch.planning.schedule import plan_schedule
from anabranch.planning.verification import batch_violations, schedule_violations

SECOND = timedelta(seconds=1)
PAIR = CommandGraph.from_edges(2, [(0, 1)], names=["a", "b"])
APART = CommandGraph.from_edges(2, [], names=["a", "b"])


def test_starting_beside_a_dependency_names_both_commands() -> None:
    (problem,) = batch_violations(PAIR, [[0, 1]])
    assert ("too-early", "b", "after a") == (problem.code, problem.value, problem.expected)


@pytest.mark.parametrize(
    ("batches", "codes"),
    [
        ([[0]], ["missing"]),
        ([[0], [1], [1]], ["twice"]),
        ([[0], [1], [2]], ["unknown-step"]),
        ([[-1], [0], [1]], ["unknown-step"]),
        ([[0], [], [1]], []),
    ],
)
def test_batches_hold_every_command_once(batches: list[list[int]], codes: list[str]) -> None:
    assert codes == [problem.code for problem in batch_violations(PAIR, batches)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"starts": (timedelta(), timedelta())}, "too-early"),
        ({"makespan": SECOND}, "wrong-makespan"),
        ({"lower_bound": 5 * SECOND}, "wrong-bound"),
        ({"ends": (SECOND, timedelta())}, "wrong-end"),
        ({"starts": ()}, "wrong-size"),
    ],
)
def test_a_schedule_that_was_tampered_with_is_found_out(
    changes: Mapping[str, Any], code: str
) -> None:
    schedule = evolve(plan_schedule(PAIR, [SECOND, SECOND]), **changes)
    assert code in {problem.code for problem in schedule_violations(PAIR, schedule)}


def test_more_commands_than_slots_are_seen_at_the_one_too_many() -> None:
    schedule = plan_schedule(APART, [SECOND, SECOND])
    (problem,) = schedule_violations(APART, schedule, limits=Limits(slots=1))
    assert ("over-committed", "b") == (problem.code, problem.value)


def test_two_holders_of_one_lock_are_seen() -> None:
    schedule = plan_schedule(APART, [SECOND, SECOND])
    assert [] == schedule_violations(APART, schedule, claims=[[Claim("x")], [Claim("y")]])
    assert 1 == len(schedule_violations(APART, schedule, claims=[[Claim("x")], [Claim("x")]]))


def test_starts_that_are_too_close_for_a_rate_are_seen() -> None:
    limits = Limits(rates={"api": RateLimit(starts=1, per=2 * SECOND)})
    claims = [[Claim("api")], [Claim("api")]]
    good = plan_schedule(APART, [SECOND, SECOND], limits=limits, claims=claims)
    assert 3 * SECOND == good.makespan
    assert [] == schedule_violations(APART, good, limits=limits, claims=claims)
    hasty = plan_schedule(APART, [SECOND, SECOND], limits=Limits(slots=1))
    assert 1 == len(schedule_violations(APART, hasty, limits=limits, claims=claims))


def test_commands_of_no_length_need_a_slot_only_one_after_the_other() -> None:
    schedule = plan_schedule(APART, [timedelta(), timedelta()], limits=Limits(slots=1))
    assert [] == schedule_violations(APART, schedule, limits=Limits(slots=1))


def test_commands_that_claim_nothing_do_not_hide_two_in_one_place() -> None:
    graph = CommandGraph.from_edges(3, [], names=["a", "b", "c"])
    schedule = plan_schedule(graph, [SECOND] * 3)
    claims = [[Claim("gpu")], [], [Claim("gpu")]]
    (problem,) = schedule_violations(graph, schedule, claims=claims)
    assert ("over-committed", "c") == (problem.code, problem.value)
