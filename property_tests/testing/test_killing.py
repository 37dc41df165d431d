"""Killed at every moment, workflows come to the end that they would have come to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anabranch.environment import Invocation
from anabranch.testing.git import MemoryTree
from anabranch.testing.simulation import (
    Chance,
    Faults,
    Living,
    Process,
    Run,
    Script,
    World,
    kill_everywhere,
    simulate,
)
from anabranch.testing.simulation.lives import work_of, world_scenario
from anabranch.values import RunStatus, StepStatus
from anabranch.workflow import Workflow, load_workflow

EXAMPLES: Final = sorted(Path(__file__).parents[2].glob("examples/**/*.yml"))
ITEMS: Final = json.dumps([{"id": n, "name": f"n{n}", "path": f"p{n}"} for n in range(2)])


def committing(invocation: Invocation) -> Process:
    """Every command of an agent commits a file that is named after the agent and the command."""

    def work(tree: MemoryTree) -> None:
        agent = tree.path.rpartition("/")[2]
        step = sum(map(ord, invocation.label)) % 97
        tree.commit({f"{agent}-{step}.txt": tree.path})

    return Process(work=work)


def world_of(workflow: Workflow) -> World:
    return World(files={workflow.map.input: ITEMS}, commands={"*": committing})


def standing(run: Run) -> tuple[RunStatus, dict[str, StepStatus]]:
    world = run.env
    assert isinstance(world, Living)
    state = world.journals["run"][-1].state
    agents = {name: s.status for name, s in state.subjects.items() if s.declared.merges}
    return state.status, agents


def undisturbed(workflow: Workflow, world: World) -> Run:
    return world_scenario(work_of(workflow), world, runs=["run"], max_turns=10_000)(Chance(), None)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_that_is_killed_at_any_moment_ends_as_if_it_had_not_been(path: Path) -> None:
    workflow = load_workflow(path.read_bytes(), file=path.name)
    world = world_of(workflow)
    expected = standing(undisturbed(workflow, world))
    kill_everywhere(workflow, world, check=lambda run: standing(run) == expected, pairs=5)


steps = st.lists(st.sampled_from(["one", "two", "fail", "none"]), min_size=1, max_size=2)


@st.composite
def workflows(draw: st.DrawFn) -> str:
    def listed(names: list[str], indent: str = "") -> str:
        return "".join(f"{indent}  - shell: {name}\n" for name in names)

    setup = draw(st.lists(st.sampled_from(["one", "none"]), max_size=1))
    reduce = draw(st.lists(st.sampled_from(["two", "fail", "none"]), max_size=1))
    text = "name: made\nmode: mapreduce\n"
    text += f"setup:\n{listed(setup)}" if setup else ""
    limit = draw(st.integers(1, 3))
    text += f"map:\n  input: items.json\n  max_parallel: {limit}\n"
    text += f"  agent_template:\n{listed(draw(steps), '  ')}"
    return text + (f"reduce:\n{listed(reduce)}" if reduce else "")


def failing(invocation: Invocation) -> Process:
    """The second agent fails."""
    return Process(exit_code=int("agent-1" in invocation.cwd))


COMMANDS: Final[Mapping[str, Script]] = {
    "fail": failing,
    "none": Process(),
    "*": committing,
}


@settings(max_examples=50)
@given(workflows(), st.integers(0, 2**32))
def test_a_workflow_that_is_killed_at_two_moments_ends_as_if_it_had_not_been(
    text: str, seed: int
) -> None:
    workflow = load_workflow(text.encode(), file="made.yml")
    world = World(files={"items.json": "[1, 2]"}, commands=COMMANDS)
    expected = standing(undisturbed(workflow, world))
    fatal = World(files=world.files, commands=world.commands, faults=Faults(kills=0.02, most=2))
    simulate(workflow, fatal, check=lambda run: standing(run) == expected, seed=seed, schedules=2)
