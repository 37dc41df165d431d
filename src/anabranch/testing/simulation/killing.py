"""Killed at every moment: before each thing that is asked of the world, and after it.

Two moments at which the world is the same are one: whoever takes the run up could not tell them
apart, since what only the dead process knew is gone. So between two calls that change nothing the
process is killed once, and not four times. And of what was written and not synced, any beginning
may survive: each of them is a world of its own, unless an earlier moment had left the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Final, TypeAlias

from attrs import evolve, field, frozen

from anabranch.effects import Effect
from anabranch.testing.simulation.chance import Chance, Source, replayed, seeded
from anabranch.testing.simulation.journals import Kept
from anabranch.testing.simulation.laws import laws
from anabranch.testing.simulation.lives import work_of, world_scenario
from anabranch.testing.simulation.running import (
    Check,
    Scenario,
    Simulation,
    examine,
    follow,
    smallest,
)
from anabranch.testing.simulation.simulate import MAX_TURNS
from anabranch.testing.simulation.world import Faults, Kill, Kills, Living, World
from anabranch.workflow import Workflow

_What: TypeAlias = Effect[Any, Any, Any] | Workflow

_RUN: Final = "run"
_NEVER: Final[Kills] = {-1: Kill()}
_FATAL: Final = Faults(kills=0.01)


def kill_everywhere(
    what: _What,
    world: World,
    *,
    check: Check | Sequence[Check] = (),
    pairs: int = 20,
    seed: int = 0,
    replay: Sequence[int] | None = None,
) -> Simulation:
    """Kill the process at every moment of a run, and take the run up again each time.

    The moments are those before and after every call of a port: what was asked for last was not
    done, or it was done and nobody knows. At each, everything that can be left is tried that was
    not left at an earlier one: any beginning of what was not synced, torn or whole; the work of
    commands that were under way, done or not. Then it is killed at pairs of moments that are
    drawn, under schedules of a seed.

    Args:
        what: an effect, which is begun anew each time; or a workflow, which is resumed.
        world: where; nothing else goes wrong there.
        check: what has to hold of every `Run`, besides the laws.
        pairs: how many pairs of moments are drawn.
        seed: of the pairs and of the schedules.
        replay: the choices of one run, to make only that again, as a failure prints them. For
            `simulate` they are those of a run in the same world with `Faults(kills=0.01)`.

    Raises:
        SimulationFailed: one of the runs is not well; it shows the smallest.
    """
    __tracebackhide__ = True
    world = evolve(world, faults=_FATAL)
    checks = (laws, check) if callable(check) else (laws, *check)
    if replay is not None:
        return follow(_killed(what, world, None), checks, replayed(replay))
    runs = longest = 0
    for kills, source in _plans(what, world, pairs, seed):
        chance = Chance(source)
        _, fault = examine(_killed(what, world, kills), checks, chance)
        if fault is not None:
            raise smallest(_killed(what, world, None), checks, fault, chance.taken, seed=None)
        runs, longest = runs + 1, max(longest, len(chance.taken))
    return Simulation(runs=runs, longest=longest)


def _plans(what: _What, world: World, pairs: int, seed: int) -> Iterator[tuple[Kills, Source]]:
    """When and how to kill it, and where the other choices come from."""
    moments = _Moments()
    scenario = world_scenario(
        work_of(what),
        world,
        runs=[_RUN],
        max_turns=MAX_TURNS,
        kills=_NEVER,
        witness=moments.note,
    )
    count = scenario(Chance(), None).env.moments
    for kills in moments.kills:
        yield kills, replayed(())
    random = Random(seed)  # noqa: S311 (a simulation, not a secret)
    for number in range(pairs):
        first = random.randrange(count)
        second = first + 1 + random.randrange(count)
        yield {first: Kill(), second: Kill()}, seeded(seed + number)


@frozen
class _Moments:
    """The moments of one run that leave a world which no earlier one leaves.

    Attributes:
        kills: those moments, and what is left there.
        seen: all that was left so far.
    """

    kills: list[Kills] = field(factory=list[Kills])
    seen: set[tuple[object, ...]] = field(factory=set[tuple[object, ...]])
    _states: list[object] = field(factory=list[object])

    def note(self, world: Living) -> None:
        """Look at what would be left if the process died now."""
        state, disk = world.repository.state, world.disks[_RUN]
        if not self._states or self._states[-1] is not state:
            self._states.append(state)
        written = len(disk.synced)
        alive = tuple(number for number, one in world.commands.alive.items() if one.process.work)
        outside = len(self._states), len(world.files), alive
        for lines in range(len(disk.written) + 1):
            for finished in (False, True) if alive else (False,):
                left = (*outside, written, finished)
                if left not in self.seen:
                    self.seen.add(left)
                    self._kill(world, lines, finished=finished)
            written += sum(map(len, disk.written[lines : lines + 1]))

    def _kill(self, world: Living, lines: int, *, finished: bool) -> None:
        torn = lines < len(world.disks[_RUN].written) and len(self.kills) % 2 == 1
        how = Kill(kept=Kept(lines=lines, torn=torn), finished=finished)
        self.kills.append({world.moments - 1: how})


def _killed(what: _What, world: World, kills: Kills | None) -> Scenario:
    return world_scenario(work_of(what), world, runs=[_RUN], max_turns=MAX_TURNS, kills=kills)
