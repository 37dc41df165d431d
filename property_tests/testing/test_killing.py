"""Killed at every moment, workflows come to the end that they would have come to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings

from anabranch.environment import Invocation
from anabranch.lifecycle import dead_letters
from anabranch.testing.git import MemoryTree
from anabranch.testing.simulation import (
    Chance,
    Living,
    Process,
    Run,
    Script,
    World,
    commits,
    kill_everywhere,
)
from anabranch.testing.simulation.lives import work_of, world_scenario
from anabranch.testing.strategies import Runnable, runnable_workflows
from anabranch.values import RunStatus, StepStatus
from anabranch.workflow import Workflow, load_workflow
from tests.soak.crashes import crash_everywhere

EXAMPLES: Final = sorted(Path(__file__).parents[2].glob("examples/**/*.yml"))
ITEM: Final = json.dumps([{"id": 0, "name": "n0", "path": "p0"}])


def committing(invocation: Invocation) -> Process:
    """Every command of an agent commits a file that is named after the agent and the command."""

    def work(tree: MemoryTree) -> None:
        agent = tree.path.rpartition("/")[2]
        step = sum(map(ord, invocation.label)) % 97
        tree.commit({f"{agent}-{step}.txt": tree.path})

    return Process(work=work)


def world_of(workflow: Workflow) -> World:
    return World(files={workflow.map.input: ITEM}, commands={"*": committing})


def standing(run: Run) -> tuple[RunStatus, dict[str, StepStatus], set[str]]:
    world = run.env
    assert isinstance(world, Living)
    state = world.journals["run"][-1].state
    agents = {name: s.status for name, s in state.subjects.items() if s.declared.merges}
    return state.status, agents, {letter.subject for letter in dead_letters(state)}


def undisturbed(workflow: Workflow, world: World) -> Run:
    return world_scenario(work_of(workflow), world, runs=["run"], max_turns=10_000)(Chance(), None)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_that_is_killed_at_any_moment_ends_as_if_it_had_not_been(path: Path) -> None:
    workflow = load_workflow(path.read_bytes(), file=path.name)
    world = world_of(workflow)
    expected = standing(undisturbed(workflow, world))
    kill_everywhere(workflow, world, check=lambda run: standing(run) == expected, pairs=2)


# Each of them once ended otherwise, or not at all, after a kill at some moment.
SETUP_FAILS: Final = """
name: setup-fails
mode: mapreduce
setup: [fail]
map:
  input: items.json
  agent_template: [one]
"""
REDUCE_FAILS: Final = """
name: reduce-fails
mode: mapreduce
map:
  input: items.json
  agent_template: [one]
reduce: [two, fail]
"""
NO_COMMIT: Final = """
name: no-commit
mode: mapreduce
setup:
  - shell: one
  - shell: none
    commit_required: true
    optional: true
map:
  input: items.json
  agent_template:
    - shell: none
      commit_required: true
"""
UNDECLARED: Final = """
name: undeclared
mode: mapreduce
map:
  input: items.json
  agent_template:
    - shell: one
      writes: [file:elsewhere]
"""
STOPS: Final = """
name: stops
mode: mapreduce
setup: [one]
map:
  input: items.json
  max_parallel: 1
  agent_template: [fail]
error_policy:
  on_item_failure: stop
"""
CLASHES: Final = """
name: clashes
mode: mapreduce
map:
  input: items.json
  agent_template: [clash]
reduce: [one]
error_policy:
  on_item_failure: stop
"""
SKIPS: Final = """
name: skips
mode: mapreduce
map:
  input: items.json
  agent_template: [clash]
error_policy:
  on_item_failure: skip
"""
RESOLVED: Final = """
name: resolved
mode: mapreduce
map:
  input: items.json
  agent_template: [clash]
merge:
  resolve: [resolve, none]
"""
LINEAR: Final = """
name: linear
mode: mapreduce
map:
  input: items.json
  agent_template: [one, two]
merge:
  history: linear
"""


def failing(_: Invocation) -> Process:
    return Process(exit_code=1)


def clashing(invocation: Invocation) -> Process:
    return Process(work=commits("same.txt", invocation.cwd))


COMMANDS: Final[Mapping[str, Script]] = {
    "fail": failing,
    "none": Process(),
    "clash": clashing,
    "resolve": Process(work=lambda tree: tree.write("same.txt", "both")),
    "*": committing,
}


@pytest.mark.parametrize(
    "text",
    [SETUP_FAILS, REDUCE_FAILS, NO_COMMIT, UNDECLARED, STOPS, CLASHES, SKIPS, RESOLVED, LINEAR],
    ids=lambda text: text.split()[1],
)
def test_whatever_ends_a_run_it_ends_so_if_it_is_killed_on_the_way(text: str) -> None:
    workflow = load_workflow(text.encode(), file="made.yml")
    items = "[1, 2]" if "clash" in text else "[1]"
    world = World(files={"items.json": items}, commands=COMMANDS)
    expected = standing(undisturbed(workflow, world))
    kill_everywhere(workflow, world, check=lambda run: standing(run) == expected, pairs=2)


@settings(max_examples=28)
@given(runnable_workflows(max_items=1, max_steps=1) | runnable_workflows(max_items=2, max_steps=1))
def test_a_workflow_that_is_killed_at_any_moment_keeps_the_laws_and_ends(made: Runnable) -> None:
    done, resumes = crash_everywhere(made, pairs=1)
    assert resumes >= done.runs
