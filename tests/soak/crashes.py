"""Generated workflows that are killed at every moment in a simulated world, and resumed.

    python -m tests.soak.crashes --workflows 300 --pairs 10 --seed 1

Each workflow runs once undisturbed. Then its process is killed at every moment that leaves a world
of its own (before and after every call of a port, with every beginning of what was not synced, with
the commands that were under way done or not), and at pairs of moments that are drawn; each time it
is resumed until it has ended. All laws of runs and of git must hold, nothing that may not be done
twice is done twice, and where the policies leave no choice the run ends as it did undisturbed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping

from attrs import define, frozen
from hypothesis import HealthCheck, Phase, given, seed, settings

from anabranch.environment import Invocation
from anabranch.lifecycle import DeadLettered
from anabranch.program.places import KEY_VARIABLE
from anabranch.testing.simulation import (
    Chance,
    Living,
    Run,
    Simulation,
    SimulationFailed,
    kill_everywhere,
)
from anabranch.testing.simulation.lives import work_of, world_scenario
from anabranch.testing.strategies import Runnable, runnable_workflows
from anabranch.values import RunStatus, StepStatus
from anabranch.workflow import InDoubt, to_data


@frozen(kw_only=True)
class Ending:
    """What a run came to: what has to be the same, however often its process died.

    Attributes:
        status: of the run.
        agents: the status of each agent.
        letters: how often each agent was put aside.
        files: what the user has in the end.
    """

    status: RunStatus
    agents: Mapping[str, StepStatus]
    letters: Mapping[str, int]
    files: Mapping[str, bytes]


def living(run: Run) -> Living:
    """The world of a run."""
    assert isinstance(run.env, Living)
    return run.env


def ending(run: Run) -> Ending:
    """What a run came to."""
    world = living(run)
    state = world.journals["run"][-1].state
    merging = {name: s for name, s in state.subjects.items() if s.declared.merges}
    told = (e.payload for subject in merging.values() for e in subject.story)
    return Ending(
        status=state.status,
        agents={name: subject.status for name, subject in merging.items()},
        letters=Counter(p.subject for p in told if isinstance(p, DeadLettered)),
        files=world.repository.files(),
    )


def undisturbed(made: Runnable) -> Run:
    """The run that nobody disturbs."""
    scenario = world_scenario(work_of(made.workflow), made.world, runs=["run"], max_turns=100_000)
    return scenario(Chance(), None)


def starts(run: Run) -> Counter[str]:
    """How often the command of each step was started, by its idempotency key."""
    asked = [call[0] for name, call in living(run).calls if name == "commands.run"]
    return Counter(i.env[KEY_VARIABLE] for i in asked if isinstance(i, Invocation) and _works(i))


def _works(invocation: Invocation) -> bool:
    return invocation.argv[0] != "git" and not invocation.label.endswith("/probe")


def done_once(made: Runnable) -> frozenset[str]:
    """The keys of the steps that may be started once at most, whatever happens."""
    workflow = made.workflow
    if workflow.map.failure_policy.retry is not None:
        return frozenset()
    phases = (("setup", workflow.setup), ("reduce", workflow.reduce))
    places = [(f"run/{name}", steps) for name, steps in phases]
    places += [(f"run/agent-{n}/step", workflow.map.agent_template) for n in range(3)]
    return frozenset(
        f"{place}[{at}]"
        for place, steps in places
        for at, step in enumerate(steps)
        if step.retry is None and step.probe is None
        if (step.in_doubt or workflow.in_doubt) is InDoubt.DLQ
    )


@define
class Sound:
    """Checks a run that was killed against the one that was not.

    Attributes:
        made: what runs.
        expected: what the undisturbed run came to.
        once: what may be started once at most.
        resumes: how many processes took a run up again, so far.
    """

    made: Runnable
    expected: Ending
    once: frozenset[str]
    resumes: int = 0

    def __call__(self, run: Run) -> str:
        """What is wrong with it, in words."""
        processes = len(living(run).journals["run"])
        self.resumes += processes - 1
        counted = starts(run)
        twice = sorted(key for key in self.once if counted[key] > 1)
        if twice:
            return f"done again, though that is not to be: {twice}"
        found = ending(run)
        if found.status not in {RunStatus.COMPLETED, RunStatus.PARTIAL, RunStatus.FAILED}:
            return f"it ends {found.status}"
        if self.made.exact and found != self.expected:
            return f"it ends otherwise:\n  {found}\n  {self.expected}"
        return ""


def crash_everywhere(made: Runnable, *, pairs: int, seed: int = 0) -> tuple[Simulation, int]:
    """Kill it at every moment; how many runs that took, and how often one was taken up again.

    Raises:
        SimulationFailed: something does not hold.
    """
    run = undisturbed(made)
    sound = Sound(made, ending(run), done_once(made))
    assert not sound(run), sound(run)
    done = kill_everywhere(made.workflow, made.world, check=sound, pairs=pairs, seed=seed)
    return done, sound.resumes


def generated(count: int, number: int) -> list[Runnable]:
    """So many workflows, of a seed."""
    found: list[Runnable] = []

    @seed(number)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(runnable_workflows())
    def collect(made: Runnable) -> None:
        found.append(made)

    collect()
    return found


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@define
class _Tally:
    """What was done so far."""

    workflows: int = 0
    exact: int = 0
    crashes: int = 0
    resumes: int = 0
    broken: int = 0

    def __str__(self) -> str:
        return (
            f"{self.workflows} workflows ({self.exact} of which end alike), {self.crashes} crashed"
            f" runs, {self.resumes} resumes, {self.broken} broken"
        )


def main() -> int:
    """Crash workflows; tell what did not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--workflows", type=int, default=300)
    parser.add_argument("--pairs", type=int, default=10, help="for each workflow")
    parser.add_argument("--seed", type=int, default=1)
    given_ = parser.parse_args()
    tally, began = _Tally(), time.process_time()
    for number, made in enumerate(generated(given_.workflows, given_.seed)):
        tally.workflows += 1
        tally.exact += made.exact
        try:
            done, resumes = crash_everywhere(made, pairs=given_.pairs, seed=number)
        except (SimulationFailed, AssertionError) as error:
            tally.broken += 1
            _say(f"BROKEN {number}: {json.dumps(to_data(made.workflow))}\n{error}")
        else:
            tally.crashes += done.runs
            tally.resumes += resumes
        if number % 50 == 49:
            _say(f"{tally}, {time.process_time() - began:.0f} s of CPU")
    _say(f"{tally}, {time.process_time() - began:.0f} s of CPU")
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
