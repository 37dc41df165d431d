"""What the fixture `sim` is: the simulator, with the numbers of a test session filled in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve, frozen

from anabranch.testing.simulation.killing import kill_everywhere
from anabranch.testing.simulation.running import Simulation, SimulationFailed
from anabranch.testing.simulation.simulate import SCHEDULES, explore, simulate
from anabranch.testing.simulation.world import World


@frozen(kw_only=True)
class Sim:
    """Simulates effects and workflows.

    Attributes:
        schedules: how many schedules are tried.
        seed: of the first one.
        kills: how likely it is, in a `World`, that the process of anabranch is killed before or
            after each thing that it asks for; from 0 to 1, and 0 is as the world itself says.
        pairs: at how many pairs of moments `kill_everywhere` has it killed, besides each one.

    >>> from anabranch import par_all, sleep
    >>> Sim(schedules=10)(par_all([sleep("1h"), sleep("1h")])).runs
    10
    """

    schedules: int = SCHEDULES
    seed: int = 0
    kills: float = 0
    pairs: int = 20

    def __call__(self, what: Any, *where: Any, **options: Any) -> Simulation:
        """Run it under many schedules: `simulate` with these numbers, unless others are given."""
        __tracebackhide__ = True
        numbers = {"schedules": self.schedules, "seed": self.seed}
        places = map(self._deadly, where)
        return _told(lambda: simulate(what, *places, **{**numbers, **options}))

    def explore(self, what: Any, *where: Any, **options: Any) -> Simulation:
        """Run it under every schedule: `explore`."""
        __tracebackhide__ = True
        return _told(lambda: explore(what, *where, **options))

    def kill_everywhere(self, what: Any, world: World, **options: Any) -> Simulation:
        """Kill the process at every moment of a run: `kill_everywhere`, with these numbers."""
        __tracebackhide__ = True
        numbers: dict[str, Any] = {"pairs": self.pairs, "seed": self.seed}
        return _told(lambda: kill_everywhere(what, world, **{**numbers, **options}))

    def _deadly(self, where: Any) -> Any:
        if not self.kills or not isinstance(where, World):
            return where
        return evolve(where, faults=evolve(where.faults, kills=self.kills))


def _told(search: Callable[[], Simulation]) -> Simulation:
    """Search; of a failure, the story is told, and not how the simulator came upon it.

    Of what the effect itself raised, the traceback is told as well.
    """
    __tracebackhide__ = True
    try:
        return search()
    except SimulationFailed as failed:
        raise failed.with_traceback(None) from failed.__cause__
