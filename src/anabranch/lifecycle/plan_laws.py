"""The laws of a plan, and of a journal as the run of a plan: pure checks, empty if all is well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve

from anabranch.lifecycle.events import Declared, Event, RunCreated, SubjectKind
from anabranch.planning import batch_violations, identity_key, schedule_violations
from anabranch.values import Location, Problem
from anabranch.workflow import AGENT_POOL, Plan, digest, foresee
from anabranch.workflow.ordering import order_of


def plan_violations(plan: Plan) -> Iterator[Problem]:
    """Check that a plan can be run as it stands.

    Its batches hold every step once and after those that it waits for, its schedules keep to
    the limits, and its agents are numbered from 0 in order.
    """
    flow, seen = plan.workflow, foresee(plan)
    phases = [
        ("setup", flow.setup, plan.setup, seen.setup),
        ("map.agent_template", flow.map.agent_template, plan.agent, seen.agent),
        ("reduce", flow.reduce, plan.reduce, seen.reduce),
    ]
    for name, steps, batches, phase in phases:
        graph = order_of(steps)
        yield from _inside(name, batch_violations(graph, batches))
        claims = [step.resources for step in steps]
        found = schedule_violations(graph, phase.schedule, limits=flow.resources, claims=claims)
        yield from _inside(name, found)
    for at, assignment in enumerate(plan.assignments or ()):
        if assignment.id != at:
            yield _problem("wrong-agent", "agents are numbered from 0", f"agent-{assignment.id}")


def _inside(name: str, problems: Sequence[Problem]) -> Iterator[Problem]:
    for problem in problems:
        path = ".".join(filter(None, [name, problem.where.path]))
        yield evolve(problem, where=Location(path=path))


def run_violations(plan: Plan, journal: Sequence[Event]) -> Iterator[Problem]:
    """Check that a journal tells of this plan: its workflow, its limit, its agents and items."""
    payloads = [event.payload for event in journal]
    for created in (p for p in payloads if isinstance(p, RunCreated)):
        if created.digest != digest(plan.workflow):
            yield _problem("other-workflow", "the run is of another workflow", created.run)
        elif created.limits.get(AGENT_POOL) != plan.workflow.map.max_parallel:
            yield _problem("other-limit", "the run has another limit", str(created.limits))
    agents = [p for p in payloads if isinstance(p, Declared) and p.kind is SubjectKind.AGENT]
    if plan.assignments is None or not agents:
        return
    planned = {one.agent_name: one.item for one in plan.assignments}
    for agent in agents:
        if agent.subject not in planned:
            yield _problem("unplanned-agent", "the plan has no such agent", agent.subject)
        elif identity_key(agent.item) != identity_key(planned[agent.subject]):
            yield _problem("other-item", "an agent works on another item", agent.subject)


def _problem(code: str, message: str, value: str) -> Problem:
    return Problem(code=code, message=message, value=value)
