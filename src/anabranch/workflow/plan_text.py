"""A plan as a person reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from anabranch.planning import Claim, WorkAssignment
from anabranch.values import Masked, format_duration, in_one_line
from anabranch.workflow.foresight import Foresight, foresee
from anabranch.workflow.foresight_text import foresight_text
from anabranch.workflow.labels import work_in_words
from anabranch.workflow.model import MapPhase, Step
from anabranch.workflow.plan import Batches, Plan

_WIDTH: Final = 80
_SHOWN: Final = 20


def plan_text(plan: Plan, seen: Foresight | None = None) -> str:
    """Write a plan for people: the phases, their steps in order, the agents and the limits.

    Args:
        plan: what will run.
        seen: what is foreseen of it; by default what `foresee` makes of the plan alone.

    >>> from anabranch.workflow import make_plan, map_phase, map_reduce
    >>> flow = map_reduce("tidy", setup=["make list"], map=map_phase("files.json", ["tidy ${item}"]))
    >>> print(plan_text(make_plan(flow)))
    tidy
    <BLANKLINE>
    setup
      1. make list
    <BLANKLINE>
    map: one agent for each item of `files.json`, known after setup; at most 10 at once
      1. tidy ${item}
    """
    workflow = plan.workflow
    limit = workflow.setup_timeout
    within = "" if limit is None else f": within {format_duration(limit)}"
    parts = [
        [workflow.name],
        _phase(f"setup{within}", workflow.setup, plan.setup),
        [*_map(plan), *_agents(plan.assignments or ())],
        _phase("reduce", workflow.reduce, plan.reduce),
        foresight_text(plan, seen or foresee(plan)),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _phase(head: str, steps: Sequence[Step], batches: Batches) -> list[str]:
    return [head, *_steps(steps, batches)] if steps else []


def _map(plan: Plan) -> Iterator[str]:
    phase = plan.workflow.map
    known = plan.assignments
    if known is None:
        agents = f"one agent for each item of `{phase.input}`, known after setup"
    else:
        agents = f"{_count(len(known), 'agent')} for the items of `{phase.input}`"
    yield f"map: {agents}; at most {phase.max_parallel} at once"
    yield from (f"  {line}" for line in _choice(phase))
    yield from _steps(phase.agent_template, plan.agent)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _choice(phase: MapPhase) -> Iterator[str]:
    """How the items are chosen, in the order in which it is done."""
    if phase.json_path != "$":
        yield f"at {phase.json_path}"
    for word, text in (("where", phase.filter), ("by", phase.sort_by), ("one per", phase.distinct)):
        if text is not None:
            yield f"{word} {text}"
    if phase.offset:
        yield f"without the first {phase.offset}"
    if phase.max_items is not None:
        yield f"at most {phase.max_items} of them"


def _steps(steps: Sequence[Step], batches: Batches) -> Iterator[str]:
    beside = {number: batch for batch in batches for number in batch}
    for number, step in enumerate(steps):
        others = [str(other + 1) for other in beside[number] if other != number]
        notes = [*_conditions(step), *([f"beside {', '.join(others)}"] if others else [])]
        told = f"  ({'; '.join(notes)})" if notes else ""
        # A plan shows what its reader has written down.
        yield f"  {number + 1}. {in_one_line(Masked(step.name or work_in_words(step)), _WIDTH)}{told}"


def _conditions(step: Step) -> Iterator[str]:
    if step.when is not None:
        yield f"when {step.when}"
    if step.timeout is not None:
        yield f"within {format_duration(step.timeout)}"
    if step.resources:
        yield "holds " + ", ".join(_held(claim) for claim in step.resources)
    if step.optional:
        yield "may fail"
    if step.retry is not None and step.retry.max_attempts is not None:
        yield f"at most {step.retry.max_attempts} attempts"
    if step.commit_required:
        yield "must commit"
    if step.auto_commit:
        yield "is committed"


def _held(claim: Claim) -> str:
    amount = f"{claim.amount} " if claim.amount > 1 else ""
    return f"{amount}{claim.name}{' (shared)' if claim.shared else ''}"


def _agents(assignments: Sequence[WorkAssignment]) -> Iterator[str]:
    width = max((len(one.agent_name) for one in assignments[:_SHOWN]), default=0)
    for one in assignments[:_SHOWN]:
        item = one.item if isinstance(one.item, str) else json.dumps(one.item, ensure_ascii=False)
        # A plan shows what its reader has written down.
        yield f"  {one.agent_name:{width}}  {in_one_line(Masked(item), _WIDTH)}"
    if len(assignments) > _SHOWN:
        yield f"  … and {len(assignments) - _SHOWN} more"
