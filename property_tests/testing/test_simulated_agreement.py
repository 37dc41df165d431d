"""Generated programs end alike live, on both event loops, simulated, and in the reference."""

from __future__ import annotations

from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from returns.result import Success

from anabranch import Effect, succeed
from anabranch.testing.simulation import Run, simulate
from anabranch.testing.strategies.effects import Program, Trace, compile_program, programs
from property_tests.effects.runs import ENV, live, reference
from property_tests.effects.stories import Ok
from property_tests.effects.virtual import BACKENDS


@settings(max_examples=60)
@given(programs(parallel=("all", "settle"), timeouts=False, defects=False), st.integers(0, 2**32))
def test_what_the_laws_fix_is_the_same_everywhere(program: Program, seed: int) -> None:
    make = partial(compile_program, program)
    expected = reference(make).outcome
    for backend in BACKENDS:
        assert expected == live(make, backend).outcome
    effect: Effect[Any, Any, Any] = succeed(None).and_then(lambda _: make(Trace()))

    def as_expected(run: Run) -> None:
        assert run.result is not None
        ended = isinstance(run.result, Success)
        assert isinstance(expected, Ok) is ended
        if isinstance(expected, Ok):
            assert expected.value == run.result.unwrap()

    simulate(effect, lambda _: ENV, check=as_expected, seed=seed, schedules=8)
