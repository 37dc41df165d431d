"""What the fixture `sim` is: the simulator, with the numbers of a test session filled in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from anabranch.testing.simulation.running import Simulation, SimulationFailed
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
        __tracebackhide__ = True
        numbers = {"schedules": self.schedules, "seed": self.seed}
        return _told(lambda: simulate(what, *where, **{**numbers, **options}))

    def explore(self, what: Any, *where: Any, **options: Any) -> Simulation:
        """Run it under every schedule: `explore`."""
        __tracebackhide__ = True
        return _told(lambda: explore(what, *where, **options))


def _told(search: Callable[[], Simulation]) -> Simulation:
    """Search; of a failure, the story is told, and not how the simulator came upon it."""
    __tracebackhide__ = True
    try:
        return search()
    except SimulationFailed as failed:
        raise failed.with_traceback(None) from None
