"""The rules of `anabranch.planning.validation`, each a function from facts to problems.

Steps on a cycle, and steps behind one, are not reported as unreachable and their variables are
not followed: the cycle is what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from anabranch.planning.references import cycle_problems, name_problems, unknown_step
from anabranch.planning.resources import claim_problems
from anabranch.planning.schemas import Doubt, schema_differences
from anabranch.planning.step_facts import StepFacts, reach, targets_of
from anabranch.planning.step_graph import StepKind
from anabranch.values import Location, Problem, Severity, did_you_mean

_SEVERAL: Final = 2


def names(facts: StepFacts) -> Iterable[Problem]:
    """Find duplicate names, unknown names, duplicate edges and self-loops."""
    depends_on = [step.depends_on for step in facts.graph.steps]
    return name_problems(facts.names, depends_on, facts.path)


def branches(facts: StepFacts) -> Iterator[Problem]:
    """Find branches that lead to no step."""
    for at, step in facts.numbered():
        for setting, targets in [("branches", step.branches), ("default", (step.default,))]:
            for name in targets:
                if name is not None and name not in facts.index:
                    yield unknown_step(name, facts.index, facts.where(at, setting))


def ends(facts: StepFacts) -> Iterator[Problem]:
    """Find entries and results that are no steps."""
    for setting, wanted in [("entries", facts.graph.entries), ("results", facts.graph.results)]:
        for name in sorted(wanted or ()):
            if name not in facts.index:
                yield unknown_step(name, facts.index, Location(path=setting))


def cycles(facts: StepFacts) -> Iterable[Problem]:
    """Find steps that wait for each other, directly or through conditions."""
    return cycle_problems(facts.names, facts.waits)


def limits_of_nothing(facts: StepFacts) -> Iterator[Problem]:
    """Find limits under which nothing could ever run."""
    for setting, limit in facts.graph.limits.items():
        if limit < 1:
            yield _limit_of_nothing(Location(path=setting), limit, "at least 1")
    for at, step in facts.numbered():
        for setting, limit in step.limits.items():
            if limit < 1:
                yield _limit_of_nothing(facts.where(at, setting), limit, "at least 1")
        if step.timeout is not None and step.timeout <= timedelta():
            where = facts.where(at, "timeout")
            yield _limit_of_nothing(where, step.timeout, "a duration longer than nothing")


def _limit_of_nothing(where: Location, limit: object, expected: str) -> Problem:
    return Problem(
        code="limit-zero",
        message="nothing could ever run under this limit",
        where=where,
        value=str(limit),
        expected=expected,
    )


def claims(facts: StepFacts) -> Iterator[Problem]:
    """Find claims that can never be met."""
    for at, step in facts.numbered():
        where = facts.where(at, "claims")
        yield from claim_problems(facts.graph.resources, step.claims, where)


def unreachable(facts: StepFacts) -> Iterator[Problem]:
    """Find steps to which no way leads from where everything begins."""
    for at in sorted(set(facts.order) - facts.reached):
        yield Problem(
            code="unreachable",
            message="execution never comes to this step",
            where=Location(path=facts.path(at)),
            value=facts.names[at],
        )


def dead_ends(facts: StepFacts) -> Iterator[Problem]:
    """Find steps from which no way leads to what is wanted."""
    useful = set(range(len(facts.names)))
    if facts.graph.results is not None:
        useful = reach(facts.indices(facts.graph.results), facts.waits)
    for at, step in facts.numbered():
        if at not in useful or (step.kind is StepKind.CONDITION and not targets_of(step)):
            yield Problem(
                code="dead-end",
                message="no result depends on this step",
                where=Location(path=facts.path(at)),
                value=step.name,
                severity=Severity.WARNING,
            )


def undefined_variables(facts: StepFacts) -> Iterator[Problem]:
    """Find variables that have no value when a step reads them."""
    variables = sorted({name for step in facts.graph.steps for name in step.sets | step.uses})
    bit = {name: 1 << at for at, name in enumerate(variables)}
    initial = sum(bit[name] for name in facts.graph.variables if name in bit)
    known: dict[int, int] = {}
    for at in facts.order:
        step, mask = facts.graph.steps[at], initial
        for before in facts.waits[at]:
            mask |= known[before]
        for name in sorted(step.uses):
            if not mask & bit[name]:
                yield _undefined(facts, at, name)
        known[at] = mask | sum(bit[name] for name in step.sets)


def _undefined(facts: StepFacts, at: int, name: str) -> Problem:
    setter = facts.setters.get(name)
    known = facts.graph.variables.union(facts.setters) if setter is None else ()
    hint = f"let it depend on `{setter}`, which sets it" if setter else did_you_mean(name, known)
    return Problem(
        code="undefined-variable",
        message="a variable has no value when this step reads it",
        where=Location(path=facts.path(at)),
        value=name,
        hint=hint,
    )


def schema_mismatches(facts: StepFacts) -> Iterator[Problem]:
    """Find outputs that the next step cannot take."""
    return _differences(facts, Doubt.MISMATCH, "schema-mismatch", "is not what is taken")


def unpromised_inputs(facts: StepFacts) -> Iterator[Problem]:
    """Find outputs that the next step may not be able to take."""
    return _differences(facts, Doubt.NOT_PROMISED, "schema-not-promised", "may not fit")


def _differences(facts: StepFacts, doubt: Doubt, code: str, what: str) -> Iterator[Problem]:
    for at, step in facts.numbered():
        for name in dict.fromkeys(step.depends_on):
            gives = facts.graph.steps[facts.index[name]].gives if name in facts.index else None
            if step.takes is not None and gives is not None:
                for difference in schema_differences(gives, step.takes):
                    if difference.doubt is doubt:
                        yield Problem(
                            code=code,
                            message=f"the output of `{name}` {what} at `{difference.path}`",
                            where=Location(path=facts.path(at)),
                            value=difference.given,
                            expected=difference.taken,
                        )


def conditions_without_default(facts: StepFacts) -> Iterator[Problem]:
    """Find conditions that may choose nothing."""
    for at, step in facts.numbered(StepKind.CONDITION):
        if step.default is None and step.branches:
            yield Problem(
                code="no-default",
                message="if no branch holds, this condition chooses nothing",
                where=Location(path=facts.path(at)),
                value=step.name,
                hint="add a `default`",
                severity=Severity.WARNING,
            )


def aggregators_without_inputs(facts: StepFacts) -> Iterator[Problem]:
    """Find aggregators with nothing, or with one thing, to bring together."""
    for at, step in facts.numbered(StepKind.AGGREGATOR):
        inputs = len(set(step.depends_on))
        if inputs < _SEVERAL:
            yield Problem(
                code="single-input" if inputs else "no-input",
                message="an aggregator brings several inputs together",
                where=facts.where(at, "depends_on"),
                value=str(inputs),
                expected=f"at least {_SEVERAL}",
                severity=Severity.WARNING if inputs else Severity.ERROR,
            )


def unbounded_retries(facts: StepFacts) -> Iterator[Problem]:
    """Find retries that would never give up."""
    for at, step in facts.numbered():
        if not step.bounded_retry:
            yield Problem(
                code="unbounded-retry",
                message="these retries never end",
                where=facts.where(at, "retry"),
                value=step.name,
                hint="limit the attempts or the time",
            )


def long_timeouts(facts: StepFacts) -> Iterator[Problem]:
    """Find timeouts above the maximum."""
    most = facts.graph.max_timeout
    for at, step in facts.numbered():
        if most is not None and step.timeout is not None and step.timeout > most:
            yield Problem(
                code="timeout-too-long",
                message="a timeout is above the maximum",
                where=facts.where(at, "timeout"),
                value=str(step.timeout),
                expected=f"at most {most}",
            )
