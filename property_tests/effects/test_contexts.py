"""Context variables: what one parallel effect sets, no other sees, nor who runs it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, Literal, TypeAlias

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Result, Success

from anabranch import (
    Do,
    Effect,
    attempt_blocking,
    do,
    from_async,
    from_function,
    par_all,
    par_all_limit,
    par_fold,
    par_graph,
    par_settle,
    par_try_all,
    run,
    sleep,
    succeed,
    timeout,
)
from anabranch.interpreters.virtual import run_virtual
from anabranch.testing.reference import run_reference
from property_tests.effects.virtual import BACKENDS, run_live

VARIABLE: Final[ContextVar[str]] = ContextVar("VARIABLE", default="unset")

Manner: TypeAlias = Literal["inline", "async", "do", "nothing"]


@frozen
class Job:
    """Says what it sees, sets the variable if it is to, perhaps waits on either side."""

    manner: Manner
    before: int = 0
    after: int = 0

    def effect(self, number: int) -> Effect[str, Any, object]:
        look = {"inline": inline, "async": in_a_coroutine, "do": in_steps, "nothing": only_looking}
        seen = sleep(self.before) if self.before else succeed(None)
        told = seen.and_then(lambda _: look[self.manner](f"set by {number}"))
        return told.tap(lambda _: sleep(self.after)) if self.after else told


def look_and_set(value: str) -> str:
    seen = VARIABLE.get()
    VARIABLE.set(value)
    return seen


def inline(value: str) -> Effect[str, Any, object]:
    return from_function(lambda _: Success(look_and_set(value)))


def in_a_coroutine(value: str) -> Effect[str, Any, object]:
    async def call(_: object) -> Result[str, Any]:
        return Success(look_and_set(value))

    return from_async(call)


@do
def in_steps(value: str) -> Do[str, Any, object]:
    seen = look_and_set(value)
    yield from succeed(None)
    again = VARIABLE.get()
    return seen if again == value else f"{seen}, then {again}"


def only_looking(_: str) -> Effect[str, Any, object]:
    return succeed(None).map(lambda _: VARIABLE.get())


Combine: TypeAlias = Callable[[list[Effect[str, Any, object]], int], Effect[Any, Any, object]]

COMBINATORS: dict[str, Combine] = {
    "par_all": lambda effects, _: par_all(effects),
    "par_all_limit": par_all_limit,
    "par_try_all": par_try_all,
    "par_settle": lambda effects, limit: par_settle(effects, limit).map(
        lambda results: [result.unwrap() for result in results]
    ),
    "par_fold": lambda effects, limit: par_fold(
        effects, limit, list[str](), lambda seen, one: [*seen, one]
    ),
    "par_graph": lambda effects, limit: par_graph(dict(enumerate(effects)), {}, limit=limit).map(
        lambda values: list(values.values())
    ),
    "par_graph, each lets two begin": lambda effects, limit: par_graph(
        dict(enumerate(effects)), {n: [(n - 1) // 2] for n in range(1, len(effects))}, limit=limit
    ).map(lambda values: list(values.values())),
    "in turn, within a limit of time": lambda effects, limit: timeout(
        par_all_limit(effects, limit), "100h"
    ),
}

jobs = st.lists(
    st.builds(
        Job,
        st.sampled_from(["inline", "async", "do", "nothing"]),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    max_size=5,
)
anyhow = pytest.mark.parametrize("name", COMBINATORS)


def expected(made: list[Job]) -> tuple[list[str], str]:
    return ["from outside"] * len(made), "from outside"


def around(made: list[Job], name: str, limit: int) -> Effect[tuple[list[str], str], Any, object]:
    effects = [job.effect(number) for number, job in enumerate(made)]
    combined = COMBINATORS[name](effects, limit)
    outside = succeed("from outside").map(VARIABLE.set)
    after = succeed(None).map(lambda _: VARIABLE.get())
    return outside.and_then(lambda _: combined.zip(after))


@pytest.mark.parametrize("backend", BACKENDS)
@anyhow
@given(jobs, st.integers(1, 3))
def test_each_job_begins_with_what_was_set_outside(
    backend: Any, name: str, made: list[Job], limit: int
) -> None:
    assert Success(expected(made)) == run_live(around(made, name, limit), None, backend)


@anyhow
@given(jobs, st.integers(1, 3), st.randoms(use_true_random=False))
def test_in_virtual_time_it_does_so_too(
    name: str, made: list[Job], limit: int, chance: Any
) -> None:
    run = run_virtual(around(made, name, limit), choose=chance.randrange)
    assert Success(expected(made)) == run.result


@anyhow
@given(jobs, st.integers(1, 3))
def test_and_in_the_reference_interpreter(name: str, made: list[Job], limit: int) -> None:
    assert Success(expected(made)) == run_reference(around(made, name, limit), None)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_one_effect_sets_its_next_steps_see_also_on_a_thread(backend: Any) -> None:
    seen = attempt_blocking(VARIABLE.get, LookupError)
    effect = inline("mine").and_then(lambda _: sleep("1ms")).and_then(lambda _: seen)
    assert Success(["mine", "mine"]) == run(par_all([effect, effect]), backend=backend)
