"""Workflows whose process dies at one moment after the other: what has to come of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from anabranch.environment import Invocation
from anabranch.testing.simulation import (
    Check,
    Kept,
    Kill,
    Living,
    Process,
    Run,
    Script,
    World,
    commits,
    laws,
)
from anabranch.testing.simulation.lives import work_of, world_scenario
from anabranch.testing.simulation.running import Scenario
from anabranch.values import RunStatus, StepStatus
from anabranch.workflow import load_workflow

LEFT: Final = 4
"""In so many ways it dies at each moment."""


@frozen
class Crash:
    """A workflow, and how it has to end however its process died on the way.

    Attributes:
        text: the workflow.
        items: how many there are.
        status: of the run; `None` if that depends on the moment.
        agents: the status of each agent.
        shared: what the file holds in the end that agents quarrel about.
    """

    text: str
    items: int
    status: RunStatus | None = None
    agents: tuple[StepStatus, ...] = ()
    shared: bytes | None = None

    def at(self, number: int) -> tuple[Scenario, tuple[Check, ...]]:
        """It, killed: one moment after the other, with up to three lines left that no sync saved."""
        moment, lines = divmod(number, LEFT)
        workflow = load_workflow(self.text.encode(), file="crash.yml")
        files = {"items.json": f"[{', '.join(map(str, range(self.items)))}]"}
        world = World(files=files, commands=COMMANDS)
        kills = {moment: Kill(kept=Kept(lines=lines))}
        work = work_of(workflow)
        scenario = world_scenario(work, world, runs=["run"], max_turns=100_000, kills=kills)
        return scenario, (laws, self.ended)

    def ended(self, run: Run) -> None:
        """It ended so."""
        world = run.env
        assert isinstance(world, Living)
        if self.status is None:
            return
        state = world.journals["run"][-1].state
        assert self.status is state.status
        agents = tuple(s.status for s in state.subjects.values() if s.declared.merges)
        assert self.agents == agents
        assert self.shared == world.repository.home.files.get("same.txt")


def _clash(invocation: Invocation) -> Process:
    return Process(work=commits("same.txt", invocation.cwd.rpartition("/")[2]))


COMMANDS: Final[Mapping[str, Script]] = {
    "clash": _clash,
    "commit": Process(work=commits()),
    "resolve": Process(work=lambda tree: tree.write("same.txt", "both")),
    "fail": Process(exit_code=1),
}

_MAP: Final = """
name: crash
mode: mapreduce
map:
  input: items.json
  max_parallel: 1
  agent_template: [{step}]
"""
_DONE, _FAILED = StepStatus.COMPLETED, StepStatus.FAILED

CRASHES: Final = (
    Crash(
        f"{_MAP.format(step='clash')}merge:\n  resolve: [resolve, nothing]\nreduce: [nothing]\n",
        2,
        RunStatus.COMPLETED,
        (_DONE, _DONE),
        b"both",
    ),
    Crash(
        f"{_MAP.format(step='clash')}merge:\n  resolve: [resolve, fail]\nreduce: [commit]\n"
        "on_item_failure: stop\n",
        2,
        RunStatus.PARTIAL,
        (_DONE, _FAILED),
        b"agent-0",
    ),
    Crash(
        f"setup: [commit, fail]\n{_MAP.format(step='commit')}",
        1,
        RunStatus.FAILED,
        (),
    ),
    Crash(
        _MAP.format(step="{shell: nothing, commit_required: true}"),
        1,
        RunStatus.PARTIAL,
        (_FAILED,),
    ),
    Crash(
        f"setup: [commit]\n{_MAP.format(step='fail')}on_item_failure: stop\n",
        2,
        RunStatus.FAILED,
        (_FAILED, StepStatus.CANCELLED),
    ),
    Crash(f"{_MAP.format(step='commit')}in_doubt: dlq\non_item_failure: stop\n", 2),
)
