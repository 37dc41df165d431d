"""The interpreters tell the story that the model tells: what, when, and how it ends."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from returns.result import Failure, Success

from anabranch.interpreters import Backend
from anabranch.testing.strategies.effects import (
    BoomError,
    Program,
    Trace,
    compile_program,
    programs,
)
from property_tests.effects.model import (
    AmbiguousError,
    Cancelled,
    Failed,
    Ok,
    Outcome,
    Raised,
    Story,
    meaning,
)
from property_tests.effects.virtual import BACKENDS, run_live

ENV = 1


def tell(program: Program, until: float = math.inf) -> Story:
    """The model's story, if it knows the order of everything."""
    try:
        return meaning(program, ENV, 0.0, until)
    except AmbiguousError:
        assume(False)
        raise


def live(program: Program, backend: Backend, until: float = math.inf) -> tuple[Outcome, Trace]:
    trace = Trace()
    try:
        result = run_live(compile_program(program, trace), ENV, backend, cancel_at=until)
    except (BoomError, ExceptionGroup) as error:
        return Raised(frozenset(defects(error))), trace
    match result:
        case Success(value):
            return Ok(value), trace
        case Failure(failure):
            return Failed(failure), trace
        case _:
            return Cancelled(), trace


def defects(error: Exception) -> Iterator[int]:
    """The steps whose defects are in an exception; anything else in it is an error here."""
    match error:
        case BoomError(args=(int(step),)):
            yield step
        case ExceptionGroup():
            group: ExceptionGroup[Exception] = error
            for inner in group.exceptions:
                yield from defects(inner)
        case _:
            raise error


@pytest.mark.parametrize("backend", BACKENDS)
@given(programs())
def test_the_live_interpreter_tells_the_models_story(backend: Backend, program: Program) -> None:
    story = tell(program)
    outcome, trace = live(program, backend)
    assert (story.outcome, sorted(story.events)) == (outcome, sorted(trace.events))


@pytest.mark.parametrize("backend", BACKENDS)
@given(programs(), st.data())
def test_cancelled_at_any_moment_it_tells_the_models_story(
    backend: Backend, program: Program, data: st.DataObject
) -> None:
    moments = sorted({moment for moment, _ in tell(program).events if moment >= 0})
    until = data.draw(st.sampled_from(moments or [0.0])) + 1 / 128
    story = tell(program, until)
    outcome, trace = live(program, backend, until)
    assert (story.outcome, sorted(story.events)) == (outcome, sorted(trace.events))
