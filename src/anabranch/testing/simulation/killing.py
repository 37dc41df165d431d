"""Killed at every moment: before each thing that is asked of the world, and after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from attrs import evolve

from anabranch.effects import Effect
from anabranch.testing.simulation.chance import Chance, Source, replayed, seeded
from anabranch.testing.simulation.laws import laws
from anabranch.testing.simulation.lives import work_of, world_scenario
from anabranch.testing.simulation.running import (
    Check,
    Scenario,
    Simulation,
    examine,
    smallest,
)
from anabranch.testing.simulation.simulate import MAX_TURNS
from anabranch.testing.simulation.world import Faults, Living, World
from anabranch.workflow import Workflow

_NEVER = frozenset({-1})


def kill_everywhere(
    what: Effect[Any, Any, Any] | Workflow,
    world: World,
    *,
    check: Check | Sequence[Check] = (),
    pairs: int = 20,
    seed: int = 0,
) -> Simulation:
    """Kill the process at every moment of a run, and take the run up again each time.

    The moments are those before and after every call of a port: what was asked for last was not
    done, or it was done and nobody knows. Each is tried twice: once as if nothing that was not
    synced had survived, once under the schedule of a seed, by which some of it does. Then it is
    killed at pairs of moments that are drawn.

    Args:
        what: an effect, which is begun anew each time; or a workflow, which is resumed.
        world: where; nothing else goes wrong there.
        check: what has to hold of every `Run`, besides the laws.
        pairs: how many pairs of moments are drawn.
        seed: of the pairs and of the schedules.

    Raises:
        SimulationFailed: one of the runs is not well. Its choices are those of a run in
            the same world with `Faults(kills=0.01)`.
    """
    checks = (laws, check) if callable(check) else (laws, *check)
    runs = longest = 0
    for kills, source in _plans(what, world, pairs, seed):
        chance = Chance(source)
        _, fault = examine(_killed(what, world, kills), checks, chance)
        if fault is not None:
            scenario = _killed(what, _fatal(world, len(kills)), None)
            raise smallest(scenario, checks, fault, chance.taken, seed=None)
        runs, longest = runs + 1, max(longest, len(chance.taken))
    return Simulation(runs=runs, longest=longest)


def _plans(
    what: Effect[Any, Any, Any] | Workflow, world: World, pairs: int, seed: int
) -> Iterator[tuple[frozenset[int], Source]]:
    """When to kill it, and where the other choices come from."""
    undisturbed = _killed(what, world, _NEVER)(Chance(), None).env
    assert isinstance(undisturbed, Living), "the scenario is one of a world"
    moments = undisturbed.moments
    for moment in range(moments):
        yield frozenset({moment}), replayed(())
        yield frozenset({moment}), seeded(seed + moment)
    random = Random(seed)  # noqa: S311 (a simulation, not a secret)
    for number in range(pairs):
        first = random.randrange(moments)
        second = first + 1 + random.randrange(moments)
        yield frozenset({first, second}), seeded(seed + number)


def _killed(
    what: Effect[Any, Any, Any] | Workflow, world: World, kills: frozenset[int] | None
) -> Scenario:
    return world_scenario(work_of(what), world, runs=["run"], max_turns=MAX_TURNS, kills=kills)


def _fatal(world: World, kills: int) -> World:
    return evolve(world, faults=Faults(kills=0.01, most=kills))
