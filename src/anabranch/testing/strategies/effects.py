"""Generated effect programs: data that compiles to an effect, with a trace of what it did.

A `Program` is a small tree over the public combinators. Being data, it can be printed, shrunk
and given a meaning by a model, and `compile_program` makes of it an effect that writes what
happens, and when, to a `Trace`. All values are integers, all errors strings, and the
environment is an integer, so that every program fits into every other.

Each wait of a program that `programs` makes lasts as long as no sum of the others, and async
leaves come after waits: no two things that have waited happen at the same moment, so the order
of everything is fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any, Literal, TypeAlias, cast

from attrs import evolve, field, fields, frozen
from hypothesis import strategies as st
from returns.result import Failure, Result, Success

from anabranch.effects import (
    Breaker,
    Do,
    Effect,
    Scope,
    ask,
    bracket,
    circuit_breaker,
    do,
    fail,
    from_async,
    from_function,
    now,
    par_all,
    par_all_limit,
    par_fold,
    par_graph,
    par_settle,
    par_try_all,
    race,
    repeat,
    retry,
    scoped,
    sleep,
    succeed,
    timeout,
)
from anabranch.planning.circuit_breaker import CircuitBreaker
from anabranch.planning.retries import RetryPolicy

Compiled: TypeAlias = Effect[int, str, int]


class BoomError(Exception):
    """The defect of a generated program. Its argument is the number of the step."""


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
    """

    end: End
    seconds: float = 0
    number: int = 0
    asynchronous: bool = False


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


# --- from programs to effects ------------------------------------------------------------------


@frozen
class Trace:
    """What happened: pairs of the moment, in seconds, and what it was."""

    events: list[tuple[float, str]] = field(factory=list[tuple[float, str]])

    def note(self, what: str) -> Effect[None, Any, Any]:
        """An effect that writes down the moment and `what`."""
        return now().map(lambda moment: self.events.append((moment, what)))


def mix(left: int, right: int) -> int:
    """Combine two values so that their order shows."""
    return (3 * left + right) % 1009


def compile_program(  # noqa: C901, PLR0911 (a case each)
    program: Program, trace: Trace
) -> Compiled:
    """Make the effect that a program describes; running it appends to `trace`."""
    match program:
        case Step():
            return _step(program, trace)
        case Chain(kind, first, second):
            return _CHAINS[kind](compile_program(first, trace), compile_program(second, trace))
        case Apply(kind, inner):
            return _APPLICATIONS[kind](compile_program(inner, trace))
        case Sequence(parts, number):
            return _in_sequence([compile_program(part, trace) for part in parts], number, trace)
        case Hold(acquire, release, use):
            return _hold(*(compile_program(part, trace) for part in (acquire, release, use)))
        case Limit(inner, seconds):
            return timeout(compile_program(inner, trace), seconds).map_error(str)
        case Again():
            return _again(program, compile_program(program.inner, trace))
        case Repeated(inner, times, seconds):
            return repeat(compile_program(inner, trace), times=times, delay=seconds)
        case Parallel(kind, parts, limit):
            return _PARALLELS[kind]([compile_program(part, trace) for part in parts], limit)
        case Graph():
            return _graph(program, [compile_program(part, trace) for part in program.parts])
        case Scoped():
            return _scoped(program, trace)
        case Guarded():
            return _guarded(program, compile_program(program.inner, trace))


def _step(step: Step, trace: Trace) -> Compiled:
    def finish(env: int) -> Result[int, str]:
        match step.end:
            case Succeeds(value):
                return Success(value + env)
            case Fails(error):
                return Failure(error)
            case Raises():
                raise BoomError(step.number)

    async def finish_asynchronously(env: int) -> Result[int, str]:
        return finish(env)

    def leaf(env: int) -> Compiled:
        preview = None if isinstance(step.end, Raises) else finish(env)
        if step.asynchronous:
            return from_async(finish_asynchronously, preview=preview)
        return from_function(finish, preview=preview)

    wait = sleep(step.seconds) if step.seconds else succeed(None)
    started = trace.note(f"{step.number} starts").and_then(lambda _: wait)
    here: Effect[int, str, int] = ask()
    return started.tap(lambda _: trace.note(f"{step.number} ends")).and_then(
        lambda _: here.and_then(leaf)
    )


@do
def _in_sequence(parts: list[Compiled], number: int, trace: Trace) -> Do[int, str, int]:
    total = 0
    try:
        for part in parts:
            total = mix(total, (yield from part))
    finally:
        trace.events.append((-1, f"{number} is over"))
    return total


def _hold(acquire: Compiled, release: Compiled, use: Compiled) -> Compiled:
    held = bracket(
        acquire,
        lambda _: release,
        lambda resource: use.map(lambda value: mix(resource, value)),
    )
    return held.map_error(str)


def _again(program: Again, inner: Compiled) -> Compiled:
    policy = RetryPolicy.fixed(program.seconds, max_attempts=program.attempts)

    def begin(_: object) -> Compiled:
        made: list[None] = []

        def attempt(_: object) -> Compiled:
            made.append(None)
            return inner if len(made) > program.failures else fail(f"attempt {len(made)}")

        return retry(succeed(None).and_then(attempt), policy)

    return succeed(None).and_then(begin)


def _graph(graph: Graph, parts: list[Compiled]) -> Compiled:
    before: dict[int, list[int]] = {}
    for first, then in graph.edges:
        before.setdefault(then, []).append(first)
    whole = par_graph(dict(enumerate(parts)), before, limit=graph.limit)
    return whole.map(lambda values: mix_all(list(values.values()))).map_error(
        lambda error: f"{error.errors} {error.successes} {error.skipped}"
    )


def _scoped(program: Scoped, trace: Trace) -> Compiled:
    pairs = [
        (compile_program(pair.first, trace), compile_program(pair.second, trace))
        for pair in program.resources
    ]

    @do
    def body(scope: Scope[str, int]) -> Do[int, str, int]:
        total = 0
        for acquire, release in pairs:
            total = mix(total, (yield from scope.acquire(acquire, partial(_instead, release))))
        return mix(total, (yield from compile_program(program.use, trace)))

    return scoped(body).map_error(str)


def _instead(effect: Compiled, _: object) -> Compiled:
    return effect


BREAKER = CircuitBreaker(failure_threshold=2, success_threshold=1, timeout=4096)
"""The breaker of `Guarded`: it opens after two failures, and for 4,096 seconds."""


def _guarded(program: Guarded, inner: Compiled) -> Compiled:
    @do
    def calls(breaker: Breaker) -> Do[int, str, int]:
        total = 0
        for _ in range(program.times):
            once = breaker.protect(inner).map_error(str)
            total = mix(total, (yield from _settled(once)))
            if program.seconds:
                yield from sleep(program.seconds)
        return total

    return circuit_breaker(BREAKER).and_then(calls)


def _settled(effect: Compiled) -> Compiled:
    return effect.settled().map(value_of)


def value_of(result: Result[int, str]) -> int:
    """A number for how something ended."""
    return result.value_or(500 + len(str(result.swap().value_or(""))))


def _context(effect: Compiled) -> Compiled:
    return effect.context("inner").context("outer").map_error(str)


_CHAINS: dict[ChainKind, Callable[[Compiled, Compiled], Compiled]] = {
    "and_then": lambda first, second: first.and_then(
        lambda left: second.map(lambda right: mix(left, right))
    ),
    "tap": lambda first, second: first.tap(lambda _: second),
    "zip": lambda first, second: first.zip(second).map(lambda pair: mix(*pair)),
    "or_else": lambda first, second: first.or_else(
        lambda error: second.map(lambda right: mix(len(error), right))
    ),
}

_APPLICATIONS: dict[ApplyKind, Callable[[Compiled], Compiled]] = {
    "map": lambda inner: inner.map(lambda value: mix(value, 1)),
    "map_error": lambda inner: inner.map_error(lambda error: f"{error}!"),
    "recover": lambda inner: inner.recover(len),
    "ensure": lambda inner: inner.ensure(lambda value: value % 2 == 0, "odd"),
    "settled": _settled,
    "context": _context,
    "span": lambda inner: inner.span("inner"),
    "local": lambda inner: inner.local(lambda env: env + 1),
}


def _fold(parts: list[Compiled], limit: int | None) -> Compiled:
    return par_fold(parts, limit or len(parts) or 1, 1, mix)


def mix_all(values: list[int]) -> int:
    """Combine values so that their order shows."""
    total = 1
    for value in values:
        total = mix(total, value)
    return total


def _all(parts: list[Compiled], limit: int | None) -> Compiled:
    effect = par_all(parts) if limit is None else par_all_limit(parts, limit)
    return effect.map(mix_all).map_error(lambda error: f"{error.errors} {error.successes}")


_PARALLELS: dict[ParallelKind, Callable[[list[Compiled], int | None], Compiled]] = {
    "all": _all,
    "try": lambda parts, limit: par_try_all(parts, limit).map(mix_all),
    "settle": lambda parts, limit: par_settle(parts, limit).map(
        lambda results: mix_all([value_of(result) for result in results])
    ),
    "fold": _fold,
    "race": lambda parts, _: race(parts).map_error(str),
}


# --- strategies --------------------------------------------------------------------------------


def ends(*, defects: bool = True) -> st.SearchStrategy[End]:
    """How steps end: mostly with a value."""
    values = st.builds(Succeeds, st.integers(0, 9))
    errors = st.builds(Fails, st.sampled_from(["no", "never"]))
    return st.one_of(values, values, errors, *([st.just(Raises())] if defects else []))


PARALLEL: frozenset[ParallelKind | Literal["graph"]] = frozenset({*_PARALLELS, "graph"})


def programs(
    *,
    parallel: Collection[ParallelKind | Literal["graph"]] = PARALLEL,
    defects: bool = True,
    waits: bool = True,
    timeouts: bool = True,
    max_steps: int = 10,
) -> st.SearchStrategy[Program]:
    """Programs over all combinators.

    Args:
        parallel: the ways in which parts may run at the same time.
        defects: whether steps may raise.
        waits: whether steps and delays take time.
        timeouts: whether there are limits of time.
        max_steps: about how many steps at most.
    """
    how, waiting = ends(defects=defects), st.integers(1, 8) if waits else st.just(0)
    steps = st.builds(Step, how) | st.builds(Step, how, waiting, asynchronous=st.booleans())

    def around(inner: st.SearchStrategy[Program]) -> st.SearchStrategy[Program]:
        return st.one_of(
            *_sequential(inner, waiting),
            *_parallel(inner, parallel),
            *([st.builds(Limit, inner, st.integers(1, 12))] if timeouts else []),
        )

    return st.recursive(steps, around, max_leaves=max_steps).map(distinct)


def _sequential(
    inner: st.SearchStrategy[Program], waiting: st.SearchStrategy[int]
) -> list[st.SearchStrategy[Program]]:
    attempts = st.integers(1, 3)
    resources = st.builds(partial(Chain, "and_then"), inner, inner)
    return [
        st.builds(Chain, st.sampled_from(list(_CHAINS)), inner, inner),
        st.builds(Apply, st.sampled_from(list(_APPLICATIONS)), inner),
        st.builds(Sequence, st.lists(inner, max_size=4).map(tuple)),
        st.builds(Hold, inner, inner, inner),
        st.builds(Again, inner, attempts, attempts, waiting),
        st.builds(Repeated, inner, attempts, waiting),
        st.builds(Guarded, inner, st.integers(1, 4), waiting),
        st.builds(Scoped, st.lists(resources, max_size=2).map(tuple), inner),
    ]


def _parallel(
    inner: st.SearchStrategy[Program], kinds: Collection[ParallelKind | Literal["graph"]]
) -> list[st.SearchStrategy[Program]]:
    parts = st.lists(inner, max_size=4).map(tuple)
    limits = st.none() | st.integers(1, 3)
    several = sorted(kind for kind in kinds if kind != "graph")
    found: list[st.SearchStrategy[Program]] = []
    if several:
        found.append(st.builds(Parallel, st.sampled_from(several), parts, limits))
    if "graph" in kinds:
        found.append(parts.flatmap(partial(_graphs, limits=limits)))
    return found


def _graphs(
    parts: tuple[Program, ...], limits: st.SearchStrategy[int | None]
) -> st.SearchStrategy[Program]:
    pairs = [(first, then) for then in range(len(parts)) for first in range(then)]
    edges = st.lists(st.sampled_from(pairs), unique=True, max_size=4) if pairs else st.just([])
    return st.builds(Graph, st.just(parts), edges.map(sorted).map(tuple), limits)


def distinct(program: Program) -> Program:
    """Number the steps, and make each wait last as long as no sum of the others.

    A wait of `n` becomes `n * 2048 + 2 ** k / 32` seconds with a `k` of its own, exact as a
    `float` and as a `timedelta`, for up to 16 waits. Limits of time last 1/64 s longer, so that
    they never end when something else does, however often that is repeated.
    """
    return _distinct(program, iter(range(1, 1 << 20)))


def _distinct(program: Program, numbers: Iterator[int]) -> Program:
    changes: dict[str, Any] = {}
    for each in fields(type(program)):
        value = getattr(program, each.name)
        if each.name == "number":
            changes["number"] = next(numbers)
        elif each.name == "seconds" and value:
            extra = isinstance(program, Limit) / 64
            changes["seconds"] = value * 2048 + 2.0 ** (next(numbers) % 16) / 32 + extra
        elif isinstance(value, tuple) and each.name != "edges":
            parts = cast("tuple[Program, ...]", value)
            changes[each.name] = tuple(_distinct(part, numbers) for part in parts)
        elif isinstance(value, Program):
            changes[each.name] = _distinct(value, numbers)
    return evolve(program, **changes)
