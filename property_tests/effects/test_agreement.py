"""The interpreters agree: with the model of time, and with the reference interpreter."""

from __future__ import annotations

import math
from functools import partial

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from anabranch.interpreters import Backend
from anabranch.testing.strategies.effects import (
    Apply,
    Parallel,
    Program,
    Step,
    compile_program,
    ends,
    programs,
)
from property_tests.effects.model import meaning
from property_tests.effects.runs import ENV, foreseen, live, reference, virtual
from property_tests.effects.stories import AmbiguousError, Story
from property_tests.effects.virtual import BACKENDS

backends = pytest.mark.parametrize("backend", BACKENDS)


# A defect of one part of a graph stops the others, so what those achieve depends on time.
to_the_end = programs(parallel=("all", "settle"), timeouts=False) | programs(
    parallel=("all", "settle", "graph"), timeouts=False, defects=False
)


def tell(program: Program, until: float = math.inf) -> Story:
    """The model's story, if it knows the order of everything."""
    try:
        return meaning(program, ENV, 0.0, until)
    except AmbiguousError:
        assume(False)
        raise


@backends
@given(programs())
def test_the_live_interpreter_tells_the_models_story(backend: Backend, program: Program) -> None:
    story = tell(program)
    run = live(partial(compile_program, program), backend)
    assert (story.outcome, sorted(story.events)) == (run.outcome, sorted(run.events))


@backends
@given(programs(), st.data())
def test_cancelled_at_any_moment_it_tells_the_models_story(
    backend: Backend, program: Program, data: st.DataObject
) -> None:
    moments = sorted({moment for moment, _ in tell(program).events if moment >= 0})
    until = data.draw(st.sampled_from(moments or [0.0])) + 1 / 128
    story = tell(program, until)
    run = live(partial(compile_program, program), backend, until)
    assert (story.outcome, sorted(story.events)) == (run.outcome, sorted(run.events))


leaves = st.builds(Step, ends(defects=False), bare=st.just(value=True))
jobs = leaves | st.builds(Apply, st.sampled_from(["local", "settled", "map", "span"]), leaves)


@backends
@given(st.lists(jobs, min_size=2, max_size=6), st.integers(1, 2))
def test_jobs_that_share_a_worker_know_nothing_of_each_other(
    backend: Backend, parts: list[Program], limit: int
) -> None:
    make = partial(compile_program, Parallel("all", tuple(parts), limit))
    assert reference(make) == live(make, backend) == virtual(make, 0)


@backends
@given(programs(parallel=()))
def test_what_is_sequential_happens_as_in_the_reference_interpreter(
    backend: Backend, program: Program
) -> None:
    make = partial(compile_program, program)
    assert reference(make) == live(make, backend)


@backends
@given(to_the_end)
def test_what_all_run_to_the_end_achieve_does_not_depend_on_time(
    backend: Backend, program: Program
) -> None:
    make = partial(compile_program, program)
    one, other = reference(make), live(make, backend)
    assert one.outcome == other.outcome
    assert sorted(what for _, what in one.events) == sorted(what for _, what in other.events)


@backends
@given(programs(waits=False, parallel=()))
def test_what_takes_no_time_happens_as_in_the_reference_interpreter(
    backend: Backend, program: Program
) -> None:
    make = partial(compile_program, program)
    assert reference(make) == live(make, backend)


seeds = st.integers(min_value=0, max_value=2**32)


@given(programs(), seeds)
def test_in_virtual_time_every_schedule_tells_the_models_story(program: Program, seed: int) -> None:
    story = tell(program)
    run = virtual(partial(compile_program, program), seed)
    assert (story.outcome, sorted(story.events)) == (run.outcome, sorted(run.events))


@given(programs(), st.data(), seeds)
def test_cancelled_in_virtual_time_every_schedule_tells_the_models_story(
    program: Program, data: st.DataObject, seed: int
) -> None:
    moments = sorted({moment for moment, _ in tell(program).events if moment >= 0})
    until = data.draw(st.sampled_from(moments or [0.0])) + 1 / 128
    story = tell(program, until)
    run = virtual(partial(compile_program, program), seed, until)
    assert (story.outcome, sorted(story.events)) == (run.outcome, sorted(run.events))


@given(to_the_end, seeds)
def test_what_all_run_to_the_end_achieve_does_not_depend_on_the_schedule(
    program: Program, seed: int
) -> None:
    make = partial(compile_program, program)
    one, other = reference(make), virtual(make, seed)
    assert one.outcome == other.outcome
    assert sorted(what for _, what in one.events) == sorted(what for _, what in other.events)


@given(programs(), seeds)
def test_a_schedule_can_be_replayed(program: Program, seed: int) -> None:
    make = partial(compile_program, program)
    assert virtual(make, seed) == virtual(make, seed)


@given(
    programs(
        parallel=("all", "settle", "graph"), timeouts=False, waits=False, defects=False, bare=False
    )
)
def test_a_dry_run_that_knows_every_answer_foresees_the_end(program: Program) -> None:
    make = partial(compile_program, program)
    assert reference(make).outcome == foreseen(make)
