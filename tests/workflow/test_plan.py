from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from anabranch.planning import Command, plan_work_assignments
from anabranch.values import ConfigError
from anabranch.workflow import (
    Plan,
    Step,
    Workflow,
    make_plan,
    map_phase,
    map_reduce,
    plan_from_data,
    plan_text,
    plan_to_data,
    step,
)

FLOW = map_reduce(
    "tidy",
    setup=["make list", step("make tools", name="tools", timeout="2m")],
    setup_timeout="10m",
    map=map_phase(
        "files.json",
        [
            "tidy ${item.path}",
            step("git commit -am tidy", commit_required=True, when="item.size > 1"),
        ],
        json_path="$.files[*]",
        filter="size > 0",
        sort_by="path DESC",
        distinct="path",
        offset=1,
        max_items=30,
        max_parallel=4,
    ),
    reduce=[Step(Command("B=1")), Step(Command("C=2"))],
)

DOCUMENT: Any = {"files": [{"path": f"{n:02}.py", "size": n} for n in range(40)]}


def planned(workflow: Workflow = FLOW) -> Plan:
    return make_plan(workflow, plan_work_assignments(DOCUMENT, workflow.map.config))


def test_steps_that_touch_everything_come_one_after_the_other() -> None:
    assert ((0,), (1,)) == make_plan(FLOW).setup == make_plan(FLOW).agent


def test_steps_that_touch_nothing_in_common_are_in_one_batch() -> None:
    assert ((0, 1),) == make_plan(FLOW).reduce


def test_items_that_setup_will_write_are_not_known() -> None:
    assert make_plan(FLOW).assignments is None


def test_a_plan_that_was_saved_is_read_back_the_same() -> None:
    for plan in (planned(), make_plan(FLOW), make_plan(FLOW, [])):
        assert plan == plan_from_data(json.loads(json.dumps(plan_to_data(plan))))


CHANGES: list[Callable[[Any], object]] = [
    lambda data: data.update(version=0),
    lambda data: data.update(digest="0"),
    lambda data: data["map"].update(max_parallel=99),
    lambda data: data["map"]["assignments"][0].update(agent="agent-7"),
    lambda data: data["setup"].update(batches=[[1], [0]]),
    lambda data: data.pop("map"),
    lambda data: data.update(map=3),
    lambda data: data["workflow"].pop("name"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_not_the_plan_of_its_workflow_is_refused(change: Callable[[Any], object]) -> None:
    data = json.loads(json.dumps(plan_to_data(planned())))
    change(data)
    with pytest.raises(ConfigError):
        plan_from_data(data)


def test_a_plan_is_told_with_its_phases_agents_and_limits() -> None:
    assert plan_text(planned()).splitlines() == [
        "tidy",
        "",
        "setup: within 10m 0s",
        "  1. make list",
        "  2. tools  (within 2m 0s)",
        "",
        "map: 30 agents for the items of `files.json`; at most 4 at once",
        "  at $.files[*]",
        "  where size > 0",
        "  by path DESC",
        "  one per path",
        "  without the first 1",
        "  at most 30 of them",
        "  1. tidy ${item.path}",
        "  2. git commit -am tidy  (when item.size > 1; must commit)",
        *(
            f'  agent-{n}{" " * (n < 10)}  {{"path": "{38 - n:02}.py", "size": {38 - n}}}'
            for n in range(20)
        ),
        "  … and 10 more",
        "",
        "reduce",
        "  1. B=1  (beside 2)",
        "  2. C=2  (beside 1)",
    ]
