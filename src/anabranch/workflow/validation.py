"""What is wrong, or doubtful, with a workflow that can be run: everything at once.

That it can be run at all was checked when it was made (the level `minimal`). `standard` finds
what will not do what its author meant, and at `strict` a warning is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from attrs import evolve

from anabranch.expressions import parse_condition
from anabranch.planning import Strictness, validate_steps
from anabranch.values import Location, Problem, Severity, did_you_mean
from anabranch.workflow.model import Step, Workflow
from anabranch.workflow.scopes import SCOPES, Phase
from anabranch.workflow.step_graphs import step_graph

_BOOLEANS: Final = frozenset({"true", "false"})


def validate_workflow(
    workflow: Workflow, *, strictness: Strictness = Strictness.STANDARD
) -> tuple[Problem, ...]:
    """Find what is wrong with a workflow beyond what keeps it from being made.

    Returns:
        The problems by phase, each with its path in a file; errors and warnings.

    >>> from anabranch.workflow import map_phase, map_reduce, step
    >>> flow = map_reduce("w", map=map_phase("i", [step("make", when="1 > 2")]))
    >>> [problem.code for problem in validate_workflow(flow)]
    ['unreachable']
    """
    if strictness is Strictness.MINIMAL:
        found: list[Problem] = []
    else:
        found = [p for phase, steps in workflow.phases for p in _of_phase(workflow, phase, steps)]
        found += _never(workflow.map.filter, "map.filter")
    if strictness is Strictness.STRICT:
        found = [evolve(problem, severity=Severity.ERROR) for problem in found]
    return tuple(found)


def _of_phase(workflow: Workflow, phase: Phase, steps: Sequence[Step]) -> Iterator[Problem]:
    longest = workflow.setup_timeout if phase is Phase.SETUP else None
    graph = step_graph(steps, limits=workflow.resources, longest=longest)
    for problem in validate_steps(graph):
        path = (problem.where.path or "").replace(".claims", ".resources")
        yield evolve(problem, where=evolve(problem.where, path=f"{phase.value}{path}"))
    for at, step in enumerate(steps):
        path = f"{phase.value}[{at}].when"
        yield from _never(step.when, path)
        yield from _unknown_names(step.when, path, phase)


def _never(text: str | None, path: str) -> Iterator[Problem]:
    """Find a condition that asks for nothing and does not hold: what it guards never happens."""
    if text is None:
        return
    condition = parse_condition(text)
    if not condition.paths and not condition.holds({}):
        yield Problem(
            code="unreachable",
            message="this never holds",
            where=Location(path=path),
            value=text,
            hint="take out what it guards, or name a variable",
        )


def _unknown_names(text: str | None, path: str, phase: Phase) -> Iterator[Problem]:
    """Find names that no step of a phase can know; in a condition they are false."""
    known = SCOPES[phase]
    paths = () if text is None else parse_condition(text).paths
    for name in dict.fromkeys(str(found.names[0]) for found in paths if found.names):
        if name not in known and name not in _BOOLEANS:
            yield Problem(
                code="undefined-variable",
                message="nothing has this name here, so it counts as missing",
                where=Location(path=path),
                value=name,
                expected=f"one of `{'`, `'.join(known)}`",
                hint=did_you_mean(name, known),
                severity=Severity.WARNING,
            )
