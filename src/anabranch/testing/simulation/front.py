"""What the fixture `sim` is: the simulator, with the numbers of a test session filled in."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from anabranch.testing.simulation.running import Simulation
from anabranch.testing.simulation.simulate import SCHEDULES, explore, simulate


@frozen(kw_only=True)
class Sim:
    """Simulates effects and workflows.

    Attributes:
        schedules: how many schedules are tried.
        seed: of the first one.

    >>> from anabranch import par_all, sleep
    >>> Sim(schedules=10)(par_all([sleep("1h"), sleep("1h")])).runs
    10
    """

    schedules: int = SCHEDULES
    seed: int = 0

    def __call__(self, what: Any, *where: Any, **options: Any) -> Simulation:
        """Run it under many schedules: `simulate` with these numbers, unless others are given."""
        return simulate(what, *where, **{"schedules": self.schedules, "seed": self.seed, **options})

    def explore(self, what: Any, *where: Any, **options: Any) -> Simulation:
        """Run it under every schedule: `explore`."""
        return explore(what, *where, **options)
