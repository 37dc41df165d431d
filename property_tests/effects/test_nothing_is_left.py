"""An effect that is over leaves nothing behind: what comes after it runs as if it had not been.

Neither a shield against cancellation, nor its environment, nor its labels, however it ended.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from returns.result import Failure

from anabranch import Do, Effect, ask, do, fail, now, par_settle, sleep, timeout
from anabranch.interpreters import Backend
from anabranch.interpreters.virtual import run_virtual
from anabranch.testing.reference import run_reference
from anabranch.testing.strategies.effects import (
    BoomError,
    Fails,
    Hold,
    Program,
    Raises,
    Step,
    Succeeds,
    Trace,
    compile_program,
    programs,
)
from property_tests.effects.runs import ENV
from property_tests.effects.virtual import BACKENDS, run_live

AnEffect = Effect[Any, Any, Any]
Saw = list[tuple[Any, Any, float]]

LONG: Final = 2.0**40
"""More seconds than any program takes."""

LONG_FOR_A_LOOP: Final = 2.0**20
"""More seconds than a program takes that never waits; timers of asyncio have no more digits."""


@do
def probe(saw: Saw, seconds: float) -> Do[None, Any, Any]:
    """Look at the environment and at an error's labels; then wait until it is cancelled."""
    here: Effect[int, Any, Any] = ask()
    env = yield from here
    error = yield from fail("no").settled()
    try:
        yield from sleep(2 * seconds)
    finally:
        saw.append((env, error, (yield from now())))


@do
def caught(effect: AnEffect) -> Do[None, Any, Any]:
    with suppress(BoomError, ExceptionGroup):
        yield from effect.settled()


AFTER: Final[dict[str, Callable[[AnEffect, AnEffect], AnEffect]]] = {
    "the next step": lambda effect, then: caught(effect).and_then(lambda _: then),
    "the next step, within labels": lambda effect, then: caught(
        effect.context("inner").span("outer")
    ).and_then(lambda _: then),
    "the next job of a worker": lambda effect, then: par_settle([effect, then], 1),
}
after = pytest.mark.parametrize("how", AFTER)


def check(
    program: Program, how: str, execute: Callable[[AnEffect], object], long: float = LONG
) -> None:
    saw: Saw = []
    whole = AFTER[how](compile_program(program, Trace()), probe(saw, long))
    with suppress(BoomError, ExceptionGroup):
        execute(timeout(whole, long))
    assert [(ENV, Failure("no"), long)] == saw


# The use raises and the release fails: the shield around the release has to go all the same.
RAISED_AND_NOT_RELEASED: Final = Hold(Step(Succeeds(0)), Step(Fails("no")), Step(Raises()))


@after
@given(programs(waits=False), st.sampled_from(BACKENDS))
@example(RAISED_AND_NOT_RELEASED, "asyncio")
def test_on_an_event_loop(how: str, program: Program, backend: Backend) -> None:
    check(program, how, lambda effect: run_live(effect, ENV, backend), LONG_FOR_A_LOOP)


@after
@given(programs(), st.integers(0, 2**32))
@example(RAISED_AND_NOT_RELEASED, 0)
def test_under_every_schedule(how: str, program: Program, seed: int) -> None:
    choose = Random(seed).randrange
    check(program, how, lambda effect: run_virtual(effect, ENV, choose=choose))


@after
@given(programs())
def test_in_the_reference_interpreter(how: str, program: Program) -> None:
    check(program, how, lambda effect: run_reference(effect, ENV))
