from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from anabranch.planning.resources import Claim, Limits
from anabranch.planning.step_graph import StepGraph, StepKind, StepNode
from anabranch.planning.validation import SizeLimits, Strictness, validate_steps
from anabranch.values import Problem, Severity

A = StepNode(name="a")
NUMBER, TEXT = {"type": "integer"}, {"type": "string"}


def step(name: str, *depends_on: str, **facts: Any) -> StepNode:
    return StepNode(name=name, depends_on=depends_on, **facts)


def problems(
    *steps: StepNode, strictness: Strictness = Strictness.STANDARD, **facts: Any
) -> tuple[Problem, ...]:
    return validate_steps(StepGraph(steps=steps, **facts), strictness=strictness)


def only(*steps: StepNode, **facts: Any) -> Problem:
    (problem,) = problems(*steps, **facts)
    return problem


@pytest.mark.parametrize("strictness", Strictness)
def test_a_graph_that_is_well_has_no_problems_at_any_level(strictness: Strictness) -> None:
    steps = [
        step("read", sets=frozenset({"files"}), gives=NUMBER),
        step("test", "read", uses=frozenset({"files", "item"}), takes=NUMBER),
        step("lint", "read"),
        step("sum", "test", "lint", kind=StepKind.AGGREGATOR),
        step("ok", "sum", kind=StepKind.CONDITION, branches=("ship",), default="tell"),
        step("ship", timeout=timedelta(minutes=5)),
        step("tell"),
    ]
    facts: dict[str, Any] = {
        "variables": frozenset({"item"}),
        "max_timeout": timedelta(minutes=5),
        "entries": frozenset({"read"}),
        "results": frozenset({"ship", "tell"}),
    }
    assert () == problems(*steps, strictness=strictness, **facts)


@pytest.mark.parametrize(
    ("steps", "code", "path", "value"),
    [
        ([A, A], "duplicate-name", "steps[1]", "a"),
        ([step("a", "b")], "unknown-step", "steps[0].depends_on", "b"),
        ([step("a", "a")], "self-loop", "steps[0].depends_on", "a"),
        ([A, step("b", "a", "a")], "duplicate-edge", "steps[1].depends_on", "a"),
        ([step("a", "b"), step("b", "a")], "cycle", "", "a -> b -> a"),
        ([step("a", branches=("x",), default="a2"), step("a2")], "unknown-step", "steps[0].branches", "x"),
        ([step("a", default="x")], "unknown-step", "steps[0].default", "x"),
        ([step("a", limits={"max_parallel": 0})], "limit-zero", "steps[0].max_parallel", "0"),
        ([step("a", timeout=timedelta())], "limit-zero", "steps[0].timeout", "0:00:00"),
        ([step("a", claims=(Claim("gpu", amount=3),))], "claim-too-large", "steps[0].claims", "gpu: 3"),
        ([step("a", "x", path="jobs.a")], "unknown-step", "jobs.a.depends_on", "x"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_an_error_at_every_level(
    steps: list[StepNode], code: str, path: str, value: str
) -> None:
    pools = Limits(pools={"gpu": 2})
    found = only(*steps, strictness=Strictness.MINIMAL, resources=pools)
    assert (code, path, value) == (found.code, found.where.path or "", found.value)
    assert Severity.ERROR == found.severity


@pytest.mark.parametrize(
    ("problem", "code", "path", "severity"),
    [
        (only(A, step("b"), entries=frozenset({"a"})), "unreachable", "steps[1]", "error"),
        (only(A, step("b"), results=frozenset({"b"})), "dead-end", "steps[0]", "warning"),
        (only(step("a", kind=StepKind.CONDITION)), "dead-end", "steps[0]", "warning"),
        (only(step("a", uses=frozenset({"x"}))), "undefined-variable", "steps[0]", "error"),
        (only(step("a", gives=NUMBER), step("b", "a", takes=TEXT)), "schema-mismatch", "steps[1]", "error"),
        (only(step("a", kind=StepKind.CONDITION, branches=("b",)), step("b")), "no-default", "steps[0]", "warning"),
        (only(A, step("b", "a", kind=StepKind.AGGREGATOR)), "single-input", "steps[1].depends_on", "warning"),
        (only(step("a", kind=StepKind.AGGREGATOR)), "no-input", "steps[0].depends_on", "error"),
        (only(step("a", bounded_retry=False)), "unbounded-retry", "steps[0].retry", "error"),
        (only(step("a", timeout=timedelta(2)), max_timeout=timedelta(1)), "timeout-too-long", "steps[0].timeout", "error"),
        (only(A, entries=frozenset({"a", "b"})), "unknown-step", "entries", "error"),
        (only(A, results=frozenset({"a", "b"})), "unknown-step", "results", "error"),
        (only(A, limits={"max_parallel": 0}), "limit-zero", "max_parallel", "error"),
    ],
)  # fmt: skip
def test_what_does_not_mean_what_its_author_meant_is_found_by_the_standard_level(
    problem: Problem, code: str, path: str, severity: str
) -> None:
    assert (code, path, severity) == (problem.code, problem.where.path, problem.severity)


def test_the_minimal_level_does_not_ask_what_the_author_meant() -> None:
    careless = step("a", uses=frozenset({"x"}), bounded_retry=False)
    assert () == problems(careless, strictness=Strictness.MINIMAL)


def test_a_warning_is_an_error_at_the_strict_level() -> None:
    found = problems(A, step("b", "a", kind=StepKind.AGGREGATOR), strictness=Strictness.STRICT)
    assert [("single-input", Severity.ERROR)] == [(p.code, p.severity) for p in found]


def test_an_input_that_is_not_promised_is_found_by_the_strict_level_only() -> None:
    maybe = step("a", gives={"type": ["string", "null"]})
    steps = [maybe, step("b", "a", takes=TEXT)]
    assert () == problems(*steps)
    (problem,) = problems(*steps, strictness=Strictness.STRICT)
    assert ("schema-not-promised", "null or string") == (problem.code, problem.value)


def test_a_cycle_through_a_condition_is_a_cycle() -> None:
    again = step("again", "work", kind=StepKind.CONDITION, branches=("work",), default="done")
    assert "work -> again -> work" == only(step("work"), again, step("done")).value


def test_a_cycle_does_not_make_what_is_behind_it_look_unreachable() -> None:
    looped = [step("a", "b"), step("b", "a"), step("c", "b", uses=frozenset({"x"}))]
    assert ["cycle"] == [problem.code for problem in problems(*looped)]


def test_a_variable_that_a_step_elsewhere_sets_is_explained() -> None:
    later = step("later", sets=frozenset({"version"}))
    problem = only(step("early", uses=frozenset({"version"})), later)
    assert "let it depend on `later`, which sets it" == problem.hint


def test_a_variable_that_is_nearly_right_is_explained() -> None:
    problem = only(step("a", uses=frozenset({"verzion"})), variables=frozenset({"version"}))
    assert "did you mean `version`?" == problem.hint


def test_a_variable_is_known_to_all_that_come_after_the_step_that_sets_it() -> None:
    chain = [
        step("a", sets=frozenset({"x"})),
        step("b", "a"),
        step("c", "b", kind=StepKind.CONDITION, branches=("d",), default="d"),
        step("d", uses=frozenset({"x"})),
    ]
    assert () == problems(*chain)


def test_a_step_does_not_know_a_variable_that_only_it_sets() -> None:
    assert "undefined-variable" == only(step("a", uses=frozenset("x"), sets=frozenset("x"))).code


def test_every_problem_of_every_step_is_said_at_once() -> None:
    found = problems(
        step("a", "a", "x", uses=frozenset({"u"}), bounded_retry=False),
        step("a", limits={"max_parallel": -1}),
        step("c", kind=StepKind.AGGREGATOR),
    )
    assert [
        "duplicate-name",
        "self-loop",
        "unknown-step",
        "limit-zero",
        "undefined-variable",
        "no-input",
        "unbounded-retry",
    ] == [problem.code for problem in found]


@pytest.mark.parametrize(
    ("size", "code", "value", "expected"),
    [
        (SizeLimits(steps=2), "too-many-steps", "3", "at most 2"),
        (SizeLimits(edges=2), "too-many-edges", "3", "at most 2"),
        (SizeLimits(inputs=1), "too-many-inputs", "2", "at most 1"),
    ],
)
def test_a_graph_beyond_a_size_is_refused_without_a_closer_look(
    size: SizeLimits, code: str, value: str, expected: str
) -> None:
    graph = StepGraph(steps=(A, step("b", "a", "x"), step("c", "b")))
    (problem,) = validate_steps(graph, size=size)
    assert (code, value, expected) == (problem.code, problem.value, problem.expected)
