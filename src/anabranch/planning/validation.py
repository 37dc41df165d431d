"""What is wrong with a graph of steps: everything at once, before anything runs.

Every rule looks at the whole graph and yields its problems. A rule belongs to a level, and a
level holds the rules of those before it: `minimal` finds what cannot be run at all, `standard`
what will not do what its author meant, `strict` what is not certain to, and there a warning is
an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

from attrs import evolve, frozen

from anabranch.planning import validation_rules as rules
from anabranch.planning.step_facts import StepFacts
from anabranch.planning.step_graph import StepGraph
from anabranch.values import Problem, Severity


class Strictness(StrEnum):
    """How much is asked of a graph."""

    MINIMAL = "minimal"
    STANDARD = "standard"
    STRICT = "strict"


@frozen(kw_only=True)
class SizeLimits:
    """How large a graph may be before it is refused without a closer look."""

    steps: int = 100_000
    edges: int = 1_000_000
    inputs: int = 10_000


def validate_steps(
    graph: StepGraph,
    *,
    strictness: Strictness = Strictness.STANDARD,
    size: SizeLimits | None = None,
) -> tuple[Problem, ...]:
    """Find all that is wrong with a graph of steps.

    Args:
        graph: the steps, as facts.
        strictness: how much is asked.
        size: graphs beyond this are refused, and then nothing else is said of them.

    Returns:
        The problems, rule by rule, and within a rule in the order of the steps.

    >>> from anabranch.planning import StepGraph, StepNode
    >>> graph = StepGraph(steps=(StepNode(name="a", depends_on=("b",)),))
    >>> [problem.code for problem in validate_steps(graph)]
    ['unknown-step']
    """
    too_large = tuple(_too_large(graph, size or SizeLimits()))
    if too_large:
        return too_large
    facts = StepFacts(graph)
    levels = list(Strictness)
    asked = levels[: levels.index(strictness) + 1]
    found = [p for level in asked for rule in _RULES[level] for p in rule(facts)]
    if strictness is Strictness.STRICT:
        found = [evolve(problem, severity=Severity.ERROR) for problem in found]
    return tuple(found)


def _too_large(graph: StepGraph, size: SizeLimits) -> Iterator[Problem]:
    most_inputs = max((len(step.depends_on) for step in graph.steps), default=0)
    edges = sum(len(step.depends_on) + len(step.branches) for step in graph.steps)
    for code, what, count, most in [
        ("too-many-steps", "steps", len(graph.steps), size.steps),
        ("too-many-edges", "dependencies", edges, size.edges),
        ("too-many-inputs", "dependencies of one step", most_inputs, size.inputs),
    ]:
        if count > most:
            yield Problem(
                code=code, message=f"too many {what}", value=str(count), expected=f"at most {most}"
            )


_RULES: Final[Mapping[Strictness, Sequence[Callable[[StepFacts], Iterable[Problem]]]]] = {
    Strictness.MINIMAL: (
        rules.names,
        rules.branches,
        rules.ends,
        rules.cycles,
        rules.limits_of_nothing,
        rules.claims,
    ),
    Strictness.STANDARD: (
        rules.unreachable,
        rules.dead_ends,
        rules.undefined_variables,
        rules.schema_mismatches,
        rules.conditions_without_default,
        rules.aggregators_without_inputs,
        rules.unbounded_retries,
        rules.long_timeouts,
    ),
    Strictness.STRICT: (rules.unpromised_inputs,),
}
