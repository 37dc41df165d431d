"""The simulator: the program that really runs, under every schedule, through every fault."""

from anabranch.testing.simulation.chance import Chance, Source, drawn, replayed, seeded
from anabranch.testing.simulation.running import (
    Check,
    Fault,
    Run,
    Simulation,
    SimulationFailed,
)
from anabranch.testing.simulation.simulate import explore, simulate
from anabranch.testing.simulation.timeline import Moment, Timeline

__all__ = [
    "Chance",
    "Check",
    "Fault",
    "Moment",
    "Run",
    "Simulation",
    "SimulationFailed",
    "Source",
    "Timeline",
    "drawn",
    "explore",
    "replayed",
    "seeded",
    "simulate",
]
