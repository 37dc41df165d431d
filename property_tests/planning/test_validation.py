from __future__ import annotations

from collections import Counter

from attrs import evolve
from hypothesis import given

from anabranch.planning.step_graph import StepGraph
from anabranch.planning.validation import Strictness, validate_steps
from anabranch.testing.strategies.graphs import step_graphs
from anabranch.values import Severity


def waits_by_name(graph: StepGraph) -> dict[str, set[str]]:
    """The naive reading of the two kinds of edges, of graphs whose names are distinct."""
    waits = {step.name: set(step.depends_on) for step in graph.steps}
    for step in graph.steps:
        for target in (*step.branches, *([step.default] if step.default else [])):
            waits.setdefault(target, set()).add(step.name)
    return {n: {b for b in on if b in graph_names(graph)} for n, on in waits.items()}


def graph_names(graph: StepGraph) -> list[str]:
    return [step.name for step in graph.steps]


def before(waits: dict[str, set[str]], name: str) -> set[str]:
    found: set[str] = set()
    queue = set(waits[name])
    while queue:
        found |= queue
        queue = {b for n in queue for b in waits[n]} - found
    return found


def distinct(graph: StepGraph) -> StepGraph:
    return evolve(graph, steps=tuple({step.name: step for step in graph.steps}.values()))


@given(step_graphs())
def test_a_stricter_level_finds_whatever_a_milder_one_finds(graph: StepGraph) -> None:
    minimal, standard, strict = (
        Counter((p.code, p.where, p.value) for p in validate_steps(graph, strictness=level))
        for level in Strictness
    )
    assert minimal <= standard <= strict


@given(step_graphs())
def test_at_the_strict_level_everything_is_an_error(graph: StepGraph) -> None:
    found = validate_steps(graph, strictness=Strictness.STRICT)
    assert {Severity.ERROR} >= {problem.severity for problem in found}


@given(step_graphs())
def test_what_is_found_does_not_depend_on_the_order_of_distinct_steps(
    graph: StepGraph,
) -> None:
    graph = distinct(graph)
    turned = evolve(graph, steps=graph.steps[::-1])
    ours, theirs = (
        Counter((p.code, p.value) for p in validate_steps(g) if p.code != "cycle")
        for g in (graph, turned)
    )
    assert ours == theirs


@given(step_graphs())
def test_exactly_the_steps_that_are_behind_themselves_are_on_a_cycle_or_a_loop(
    graph: StepGraph,
) -> None:
    graph = distinct(graph)
    waits = waits_by_name(graph)
    found = validate_steps(graph, strictness=Strictness.MINIMAL)
    if "more-cycles" in {problem.code for problem in found}:
        return
    shown = " -> ".join(str(p.value) for p in found if p.code in {"cycle", "self-loop"})
    for name in graph_names(graph):
        assert (name in before(waits, name)) == (name in shown.split(" -> "))


@given(step_graphs())
def test_a_variable_is_undefined_exactly_if_nothing_before_the_step_sets_it(
    graph: StepGraph,
) -> None:
    graph = distinct(graph)
    waits = waits_by_name(graph)
    steps = {step.name: step for step in graph.steps}
    found = {
        (p.where.path, p.value) for p in validate_steps(graph) if p.code == "undefined-variable"
    }
    for at, step in enumerate(graph.steps):
        earlier = before(waits, step.name)
        if any(name in before(waits, name) for name in {step.name, *earlier}):
            continue
        known = graph.variables.union(*(steps[name].sets for name in earlier))
        for name in step.uses:
            assert (name not in known) == ((f"steps[{at}]", name) in found)
