"""Running generated programs and telling what happened in the model's words."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from attrs import frozen
from returns.result import Failure, Result, Success

from anabranch import Effect, dry_run
from anabranch.interpreters import Backend
from anabranch.interpreters.virtual import Cancelled as VirtuallyCancelled
from anabranch.interpreters.virtual import run_virtual
from anabranch.testing.reference import run_reference
from anabranch.testing.strategies.effects import BoomError, Trace
from property_tests.effects.stories import Cancelled, Event, Failed, Ok, Outcome, Raised
from property_tests.effects.virtual import CancelledRun, run_live

ENV = 1

Make = Callable[[Trace], Effect[Any, Any, Any]]
"""Makes an effect that writes to a trace."""


@frozen
class Run:
    """How a run ended, and what it wrote to its trace, in order."""

    outcome: Outcome
    events: tuple[Event, ...]


def live(make: Make, backend: Backend = "asyncio", until: float = math.inf) -> Run:
    """Run with the live interpreter, in virtual time, cancelled at `until`."""
    trace = Trace()
    run = partial(run_live, make(trace), ENV, backend, cancel_at=until)
    return _told(run, trace)


def virtual(make: Make, seed: int, until: float = math.inf) -> Run:
    """Run with the simulator's driver, under the schedule of a seed, cancelled at `until`."""
    trace = Trace()
    choose = random.Random(seed).randrange

    def run() -> Result[Any, Any] | CancelledRun:
        try:
            return run_virtual(make(trace), ENV, choose=choose, cancel_at=until).result
        except VirtuallyCancelled:
            return CancelledRun()

    return _told(run, trace)


def reference(make: Make) -> Run:
    """Run with the reference interpreter."""
    trace = Trace()
    return _told(partial(run_reference, make(trace), ENV), trace)


def foreseen(make: Make) -> Outcome:
    """How a dry run says that it would end."""
    result = dry_run(make(Trace()), ENV).result
    assert result is not None
    return _outcome(lambda: result)


def _told(run: Callable[[], Result[Any, Any] | CancelledRun], trace: Trace) -> Run:
    return Run(_outcome(run), tuple(trace.events))


def _outcome(run: Callable[[], Result[Any, Any] | CancelledRun]) -> Outcome:
    try:
        result = run()
    except (BoomError, ExceptionGroup) as error:
        return Raised(frozenset(_defects(error)))
    match result:
        case Success(value):
            return Ok(value)
        case Failure(error):
            return Failed(error)
        case _:
            return Cancelled()


def _defects(error: Exception) -> Iterator[int]:
    """The steps whose defects are in an exception; anything else in it is an error here."""
    match error:
        case BoomError(args=(int(step),)):
            yield step
        case ExceptionGroup():
            group: ExceptionGroup[Exception] = error
            for inner in group.exceptions:
                yield from _defects(inner)
        case _:
            raise error
