"""Plan → effect: the one function that every mode goes through."""

from anabranch.program.run import Identity, program

__all__ = ["Identity", "program"]
