"""From a program to the effect that it describes, and the trace that this leaves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from attrs import field, frozen
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
from anabranch.testing.strategies.effects.nodes import (
    Again,
    Apply,
    ApplyKind,
    Chain,
    ChainKind,
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

Compiled: TypeAlias = Effect[int, str, int]


class BoomError(Exception):
    """The defect of a generated program. Its argument is the number of the step."""


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

    if step.bare:
        return from_async(finish_asynchronously)
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
