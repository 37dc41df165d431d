from __future__ import annotations

import json

from hypothesis import given, settings

from anabranch.testing.strategies.workflows import plans
from anabranch.workflow import Plan, plan_from_data, plan_text, plan_to_data


@settings(max_examples=40)
@given(plans())
def test_a_plan_saved_and_read_is_the_same_plan(plan: Plan) -> None:
    assert plan == plan_from_data(json.loads(json.dumps(plan_to_data(plan))))


@settings(max_examples=40)
@given(plans())
def test_a_plan_names_every_step_once_in_an_order_that_can_be_run(plan: Plan) -> None:
    phases = [
        (plan.setup, plan.workflow.setup),
        (plan.agent, plan.workflow.map.agent_template),
        (plan.reduce, plan.workflow.reduce),
    ]
    for batches, steps in phases:
        assert list(range(len(steps))) == sorted(n for batch in batches for n in batch)


@settings(max_examples=40)
@given(plans())
def test_every_plan_can_be_told_to_a_person(plan: Plan) -> None:
    assert plan_text(plan).startswith(plan.workflow.name)
