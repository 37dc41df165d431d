"""Generated effect programs: data that compiles to an effect, with a trace of what it did.

A `Program` can be printed, shrunk and given a meaning by a model; `compile_program` makes of it an
effect that writes what happens, and when, to a `Trace`; `programs` draws them.
"""

from anabranch.testing.strategies.effects.compiling import (
    BREAKER,
    BoomError,
    Compiled,
    Trace,
    compile_program,
    mix,
    mix_all,
    value_of,
)
from anabranch.testing.strategies.effects.drawing import (
    PARALLEL,
    distinct,
    ends,
    programs,
)
from anabranch.testing.strategies.effects.nodes import (
    Again,
    Apply,
    ApplyKind,
    Chain,
    ChainKind,
    End,
    Fails,
    Graph,
    Guarded,
    Hold,
    Limit,
    Parallel,
    ParallelKind,
    Program,
    Raises,
    Repeated,
    Scoped,
    Sequence,
    Step,
    Succeeds,
)

__all__ = [
    "BREAKER",
    "PARALLEL",
    "Again",
    "Apply",
    "ApplyKind",
    "BoomError",
    "Chain",
    "ChainKind",
    "Compiled",
    "End",
    "Fails",
    "Graph",
    "Guarded",
    "Hold",
    "Limit",
    "Parallel",
    "ParallelKind",
    "Program",
    "Raises",
    "Repeated",
    "Scoped",
    "Sequence",
    "Step",
    "Succeeds",
    "Trace",
    "compile_program",
    "distinct",
    "ends",
    "mix",
    "mix_all",
    "programs",
    "value_of",
]
