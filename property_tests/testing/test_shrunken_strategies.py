"""What each public strategy shrinks to, pinned: something that a person would write."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import strategies as st

from anabranch.planning import (
    AggregateKind,
    CircuitBreaker,
    CommandGraph,
    FailurePolicy,
    MapConfig,
    RetryPolicy,
    RunOutline,
    StepGraph,
)
from anabranch.testing import strategies as given_by
from anabranch.testing.git.objects import Entry
from anabranch.workflow import Workflow, to_data
from property_tests.testing.test_strategies import smallest


def anything(_: object) -> bool:
    return True


def shells(workflow: Workflow) -> dict[str, Any]:
    """What a workflow says of its steps, and nothing else."""
    data: dict[str, Any] = to_data(workflow)
    return {"setup": data.get("setup"), "agent": data["map"]["agent_template"]}


MINE: Final = "nothing"
PLAIN: Final[dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], Any], Any]]] = {
    "an aggregation": (
        given_by.aggregations().map(lambda one: one.kind),
        anything,
        AggregateKind.AVERAGE,
    ),
    "a breaker": (
        given_by.circuit_breakers(),
        anything,
        CircuitBreaker(
            failure_threshold=1, success_threshold=1, timeout=timedelta(), half_open_requests=1
        ),
    ),
    "a graph with a dependency": (
        given_by.command_graphs(),
        lambda graph: any(graph.dependencies),
        CommandGraph(names=("0", "1"), waits=((), (0,))),
    ),
    "a list of commands": (
        given_by.command_lists().map(lambda found: [command.shell for command in found]),
        bool,
        ["A=1"],
    ),
    "a command": (given_by.commands().map(lambda command: command.shell), anything, "0"),
    "a duration": (given_by.durations(), anything, timedelta()),
    "a policy that counts failures": (
        given_by.failure_policies(),
        lambda policy: policy.max_failures and policy.continue_on_failure,
        FailurePolicy(max_failures=1),
    ),
    "a name of a file": (given_by.file_names(), anything, "a"),
    "a path": (given_by.file_paths(), lambda path: "/" in path, "a/a"),
    "a tree of files": (given_by.file_trees(), bool, {"a": b""}),
    "a tree of git": (given_by.git_trees(), bool, {"a": Entry(b"")}),
    "a journal": (given_by.histories(), anything, ()),
    "a journal that is illegal": (given_by.illegal_histories().map(len), anything, 1),
    "a text that attacks a shell": (given_by.hostile_texts(), bool, "$(: >pwned)"),
    "a JSON value": (given_by.json_values(), lambda value: value is not None, []),
    "a configuration of a map": (given_by.map_configs(), anything, MapConfig(max_parallel=1)),
    "retries": (
        given_by.retry_policies(),
        anything,
        RetryPolicy.fixed(timedelta(), max_attempts=1),
    ),
    "a run that was interrupted": (
        given_by.run_outlines(),
        anything,
        RunOutline(workflow={}, setup_steps=0, reduce_steps=0, assignments=()),
    ),
    "steps in a graph": (given_by.step_graphs(), anything, StepGraph(steps=())),
    "a step": (given_by.steps().map(lambda step: step.command.shell), anything, "0"),
    "a template": (given_by.templates().map(lambda template: template.text), anything, ""),
    "a text": (given_by.texts(), bool, "0"),
    "a text of a template": (given_by.template_texts(), bool, "0"),
    "choices": (given_by.choices(), lambda found: len(found) > 1, [0, 0]),
    "a workflow": (
        given_by.workflows().map(shells),
        anything,
        {"setup": None, "agent": [{"shell": "0"}]},
    ),
    "a plan": (given_by.plans().map(lambda plan: len(plan.workflow.setup)), anything, 0),
    "a workflow that runs": (
        given_by.runnable_workflows().map(lambda made: shells(made.workflow)),
        anything,
        {"setup": None, "agent": [{"name": "s0", "shell": MINE}]},
    ),
}


@pytest.mark.parametrize("name", PLAIN)
def test_it_shrinks_to_what_a_person_would_write(name: str) -> None:
    strategy, such, expected = PLAIN[name]
    assert expected == smallest(strategy, such)


def test_a_file_with_a_mistake_shrinks_to_one_mistake() -> None:
    found = json.loads(smallest(given_by.invalid_workflow_texts()))
    assert {"name", "mode", "setup", "map", "reduce"} == found.keys() - {"nmae"}


def test_a_file_of_a_workflow_shrinks_to_a_few_lines() -> None:
    assert 9 >= len(smallest(given_by.workflow_texts()).splitlines())
