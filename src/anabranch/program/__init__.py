"""Plan → effect: the one function that every mode goes through."""

from anabranch.program.cancelling import cancellation
from anabranch.program.doubts import Verdict, open_questions, steps_in_doubt
from anabranch.program.run import Identity, program

__all__ = [
    "Identity",
    "Verdict",
    "cancellation",
    "open_questions",
    "program",
    "steps_in_doubt",
]
