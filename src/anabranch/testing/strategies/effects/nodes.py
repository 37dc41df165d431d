"""What a generated effect program is: a small tree over the public combinators, as data.

All values are integers, all errors strings, and the environment is an integer, so that every
program fits into every other.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import frozen


@frozen
class Succeeds:
    """A step's end: this value, plus the environment."""

    value: int


@frozen
class Fails:
    """A step's end: this error."""

    error: str


@frozen
class Raises:
    """A step's end: the defect `BoomError`."""


End: TypeAlias = Succeeds | Fails | Raises


@frozen
class Step:
    """Notes that it starts, waits `seconds`, notes that it ends, and ends.

    Attributes:
        end: how it ends.
        seconds: how long it waits; 0 is no wait at all.
        number: names the step in the trace.
        asynchronous: whether its last part is an async leaf instead of a plain one.
        bare: whether it is an async leaf and nothing else, which leaves nothing in the trace.
    """

    end: End
    seconds: float = 0
    number: int = 0
    asynchronous: bool = False
    bare: bool = False


ChainKind: TypeAlias = Literal["and_then", "tap", "zip", "or_else"]


@frozen
class Chain:
    """One program, then perhaps another."""

    kind: ChainKind
    first: Program
    second: Program


ApplyKind: TypeAlias = Literal[
    "map", "map_error", "recover", "ensure", "settled", "context", "span", "local"
]


@frozen
class Apply:
    """A method that takes no second program."""

    kind: ApplyKind
    inner: Program


@frozen
class Sequence:
    """A `do` function that runs its parts in order and notes, in a `finally`, that it is over."""

    parts: tuple[Program, ...]
    number: int = 0


@frozen
class Hold:
    """A `bracket`."""

    acquire: Program
    release: Program
    use: Program


@frozen
class Limit:
    """A `timeout`."""

    inner: Program
    seconds: float


@frozen
class Again:
    """A `retry` with a fixed delay; the first `failures` attempts fail by themselves."""

    inner: Program
    attempts: int
    failures: int
    seconds: float = 0


@frozen
class Repeated:
    """A `repeat` with a delay."""

    inner: Program
    times: int
    seconds: float = 0


ParallelKind: TypeAlias = Literal["all", "try", "settle", "fold", "race"]


@frozen
class Parallel:
    """One of the `par_*` combinators, or `race`, which takes no limit."""

    kind: ParallelKind
    parts: tuple[Program, ...]
    limit: int | None = None


@frozen
class Graph:
    """A `par_graph` whose keys are indices; each edge is from what comes first to what waits."""

    parts: tuple[Program, ...]
    edges: tuple[tuple[int, int], ...] = ()
    limit: int | None = None


@frozen
class Scoped:
    """A `scoped` effect: resources, each acquired after the other, then their use.

    Each resource is its acquisition and its release; the `use` ends the scope.
    """

    resources: tuple[Chain, ...]
    use: Program


@frozen
class Guarded:
    """One circuit breaker around several runs of a program, one after the other."""

    inner: Program
    times: int
    seconds: float = 0


Program: TypeAlias = (
    Step
    | Chain
    | Apply
    | Sequence
    | Hold
    | Limit
    | Again
    | Repeated
    | Parallel
    | Graph
    | Scoped
    | Guarded
)
