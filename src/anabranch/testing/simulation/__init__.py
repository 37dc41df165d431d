"""The simulator: the program that really runs, under every schedule, through every fault."""

from anabranch.testing.simulation.chance import Chance, Source, drawn, replayed, seeded
from anabranch.testing.simulation.front import Sim
from anabranch.testing.simulation.journals import Kept
from anabranch.testing.simulation.killing import kill_everywhere
from anabranch.testing.simulation.laws import laws
from anabranch.testing.simulation.processes import Process, Script, commits
from anabranch.testing.simulation.running import (
    Check,
    Fault,
    Run,
    Simulation,
    SimulationFailed,
)
from anabranch.testing.simulation.simulate import explore, simulate
from anabranch.testing.simulation.timeline import Moment, Timeline
from anabranch.testing.simulation.world import Faults, Kill, Kills, Living, World

__all__ = [
    "Chance",
    "Check",
    "Fault",
    "Faults",
    "Kept",
    "Kill",
    "Kills",
    "Living",
    "Moment",
    "Process",
    "Run",
    "Script",
    "Sim",
    "Simulation",
    "SimulationFailed",
    "Source",
    "Timeline",
    "World",
    "commits",
    "drawn",
    "explore",
    "kill_everywhere",
    "laws",
    "replayed",
    "seeded",
    "simulate",
]
