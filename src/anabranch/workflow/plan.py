"""The plan: what will run, in which order, with which limits. Making one does no I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from attrs import frozen

from anabranch.planning import WorkAssignment
from anabranch.values import ConfigError, Json
from anabranch.workflow.loading import load_workflow
from anabranch.workflow.model import Step, Workflow
from anabranch.workflow.ordering import order_of
from anabranch.workflow.printing import digest, to_data

Batches: TypeAlias = tuple[tuple[int, ...], ...]
"""Numbers of steps, from 0. The steps of a batch wait for none but those of earlier batches."""

VERSION: Final = 1
"""Of the form in which plans are saved."""


@frozen(kw_only=True)
class Plan:
    """Everything that a workflow will run.

    Attributes:
        workflow: what it was made from; it holds the steps and the limits.
        setup: the batches of its steps.
        agent: the batches of every agent's steps.
        reduce: the batches of its steps.
        assignments: the items with their agents, in the order in which they start; `None`
            if `setup` has yet to write them.
    """

    workflow: Workflow
    setup: Batches
    agent: Batches
    reduce: Batches
    assignments: tuple[WorkAssignment, ...] | None = None


def make_plan(workflow: Workflow, assignments: Iterable[WorkAssignment] | None = None) -> Plan:
    """Plan a workflow.

    Args:
        workflow: what to run.
        assignments: the items of its map phase, as `plan_work_assignments` makes them with
            `workflow.map.config`; `None` if they are known only after `setup`.

    >>> from anabranch.planning import plan_work_assignments
    >>> from anabranch.workflow import map_phase, map_reduce
    >>> flow = map_reduce("tidy", map=map_phase("files.json", ["format ${item}"], max_items=1))
    >>> plan = make_plan(flow, plan_work_assignments(["a.py", "b.py"], flow.map.config))
    >>> [assignment.item for assignment in plan.assignments]
    ['a.py']
    """
    return Plan(
        workflow=workflow,
        setup=_batches(workflow.setup),
        agent=_batches(workflow.map.agent_template),
        reduce=_batches(workflow.reduce),
        assignments=None if assignments is None else tuple(assignments),
    )


def _batches(steps: Sequence[Step]) -> Batches:
    return tuple(map(tuple, order_of(steps).parallel_batches()))


def plan_to_data(plan: Plan) -> dict[str, Json]:
    """Write a plan as data that JSON can say.

    `plan_from_data` reads it back to an equal plan.
    """
    assigned = plan.assignments
    return {
        "version": VERSION,
        "digest": digest(plan.workflow),
        "workflow": to_data(plan.workflow),
        "setup": {"batches": plan.setup},
        "map": {
            "max_parallel": plan.workflow.map.max_parallel,
            "batches": plan.agent,
            "assignments": None if assigned is None else [_assignment(one) for one in assigned],
        },
        "reduce": {"batches": plan.reduce},
    }


def _assignment(assignment: WorkAssignment) -> dict[str, Json]:
    return {
        "id": assignment.id,
        "agent": assignment.agent_name,
        "worktree": assignment.worktree_name,
        "item": assignment.item,
    }


def plan_from_data(data: Mapping[str, Any]) -> Plan:
    """Read a plan that was saved.

    Raises:
        ConfigError: it is no plan, or not the plan that its workflow makes.
    """
    try:
        return _read(data)
    except (KeyError, TypeError, ValueError):
        raise ConfigError.of("bad-plan", "not a plan that was saved by this version") from None


def _read(data: Mapping[str, Any]) -> Plan:
    workflow = load_workflow(json.dumps(data["workflow"]))
    assigned = data["map"]["assignments"]
    assignments = assigned and [WorkAssignment(id=a["id"], item=a["item"]) for a in assigned]
    plan = make_plan(workflow, assignments)
    if _as_json(plan_to_data(plan)) != _as_json(data):
        raise ValueError
    return plan


def _as_json(data: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(data))
