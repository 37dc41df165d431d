from __future__ import annotations

import json

from attrs import evolve
from hypothesis import given, settings

from anabranch.interpreters.virtual import run_virtual
from anabranch.lifecycle import Event, verify
from anabranch.planning import WorkAssignment, plan_work_assignments
from anabranch.program import Identity, program
from anabranch.testing import mock_env
from anabranch.testing.strategies.workflows import plans
from anabranch.workflow import Plan, make_plan, map_phase, map_reduce, step

FLOW = map_reduce(
    "w", map=map_phase("items.json", [step("A=1", name="a"), step("ls", depends_on=["a"])])
)
PLAN = make_plan(FLOW, plan_work_assignments(["x", "y"]))


def journal() -> tuple[Event, ...]:
    env = mock_env(files={"items.json": json.dumps(["x", "y"])})
    run_virtual(program(FLOW, Identity(run="r1")), env)
    return tuple(env.journal.events)


def codes(plan: Plan, *events: Event) -> list[str]:
    return [getattr(found, "code", "law") for found in verify(plan, events)]


@settings(max_examples=30)
@given(plans())
def test_every_plan_that_is_made_keeps_the_laws(plan: Plan) -> None:
    assert () == verify(plan)


def test_a_plan_that_starts_a_step_too_early_is_caught() -> None:
    assert ["too-early"] == codes(evolve(PLAN, agent=((1,), (0,))))


def test_agents_that_are_not_numbered_in_order_are_caught() -> None:
    wrong = (WorkAssignment(id=1, item="x"),)
    assert ["wrong-agent"] == codes(evolve(PLAN, assignments=wrong))


def test_the_run_of_a_plan_keeps_the_laws_of_both() -> None:
    assert [] == codes(PLAN, *journal())


def test_a_journal_of_another_plan_is_told_from_it() -> None:
    other = make_plan(map_reduce("other", map=FLOW.map), plan_work_assignments(["x", "z", "u"]))
    assert ["other-workflow", "other-item"] == codes(other, *journal())
    fewer = make_plan(FLOW, plan_work_assignments(["x"]))
    assert ["unplanned-agent"] == codes(fewer, *journal())
