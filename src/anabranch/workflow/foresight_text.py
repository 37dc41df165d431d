"""What a plan foresees, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from anabranch.values import format_duration
from anabranch.workflow.foresight import Foresight, PhaseForesight
from anabranch.workflow.model import Step
from anabranch.workflow.plan import Plan


def foresight_text(plan: Plan, seen: Foresight) -> list[str]:
    """Write what is foreseen; nothing if nothing says how long anything takes."""
    phases = [("setup", seen.setup), ("each agent", seen.agent), ("reduce", seen.reduce)]
    if not any(phase.known for _, phase in phases):
        return []
    flow = plan.workflow
    steps = [flow.setup, flow.map.agent_template, flow.reduce]
    lines = [
        line
        for (name, phase), of in zip(phases, steps, strict=True)
        if of
        for line in _phase(name, phase, of)
    ]
    return ["expected", *(f"  {line}" for line in [*lines, *_whole(plan, seen)])]


def _phase(name: str, phase: PhaseForesight, steps: Sequence[Step]) -> Iterator[str]:
    chain = " → ".join(_name(steps, at) for at in phase.path.commands)
    yield f"{name}: {_told(phase.schedule.makespan)}, the longest chain: {chain}"
    spare = [
        f"{_name(steps, at)} {_told(slack)}" for at, slack in enumerate(phase.path.slack) if slack
    ]
    if spare:
        yield f"  to spare: {', '.join(spare)}"


def _whole(plan: Plan, seen: Foresight) -> Iterator[str]:
    if seen.makespan is None or seen.lower_bound is None or seen.enough is None:
        return
    shown = [at for at in seen.map if at.slots <= seen.enough]
    yield "map, by agents at once: " + ", ".join(
        f"{at.slots}: {_told(at.makespan)}" for at in shown
    )
    yield f"  more than {seen.enough} at once do not pay"
    limit = plan.workflow.map.max_parallel
    least = _told(seen.lower_bound)
    yield f"whole: {_told(seen.makespan)} with {limit} at once, no less than {least}"


def _name(steps: Sequence[Step], at: int) -> str:
    return steps[at].name or str(at + 1)


def _told(length: timedelta) -> str:
    return format_duration(length)
