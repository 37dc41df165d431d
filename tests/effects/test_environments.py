"""An effect that runs without what it needs says what that is, and which effect it was."""

from __future__ import annotations

from typing import Any, Never

import anyio
import anyio.lowlevel
import pytest
from attrs import frozen
from returns.result import Result, Success

from anabranch import Effect, asks, from_async, from_blocking, par_all, par_all_limit, run
from anabranch.interpreters import Backend

BACKENDS: tuple[Backend, ...] = ("asyncio", "trio")
Needy = Effect[Any, Any, Any]


class Ship:
    name = "Beagle"


@frozen
class Harbour:
    commands: object


def inline(env: Any) -> Result[int, Never]:
    return Success(env.commands.run())


async def awaited(env: Any) -> Result[int, Never]:
    return Success(env.commands.run())


EFFECTS: list[Needy] = [
    asks(lambda env: env.commands.run()),
    from_async(awaited),
    from_blocking(inline),
]


def notes(effect: Needy, env: Any, backend: Backend = "asyncio") -> list[str]:
    with pytest.raises(AttributeError) as caught:
        run(effect, env, backend=backend)
    return caught.value.__notes__


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("effect", EFFECTS, ids=["asks", "async", "blocking"])
def test_a_capability_that_is_missing_is_named_with_the_labels(
    effect: Needy, backend: Backend
) -> None:
    labelled = effect.context("run the tests").span("check")
    expected = [
        "the effect needs an environment with `commands`; it runs in a Ship",
        "in run the tests",
        "in check",
    ]
    assert expected == notes(labelled, Ship(), backend)
    missing = "the effect needs an environment with `commands`; it runs in none"
    assert [missing, *expected[1:]] == notes(labelled, None, backend)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("effect", EFFECTS, ids=["asks", "async", "blocking"])
def test_a_capability_of_the_wrong_kind_is_named_too(effect: Needy, backend: Backend) -> None:
    expected = ["the effect needs `commands` with `run`; the environment has a Ship", "in check"]
    assert expected == notes(effect.span("check"), Harbour(Ship()), backend)


def test_of_several_at_once_each_says_so_and_what_is_around_them_once() -> None:
    one = EFFECTS[0].span("one")
    expected = [
        "the effect needs an environment with `commands`; it runs in a Ship",
        "in one",
        "in all",
    ]
    assert expected == notes(par_all([one]).span("all"), Ship())


def test_it_is_the_environment_where_the_effect_runs_that_counts() -> None:
    needy: Needy = EFFECTS[0].local(lambda _: Ship())
    expected = ["the effect needs an environment with `commands`; it runs in a Ship"]
    assert expected == notes(needy, Harbour(Ship()))


def test_an_attribute_that_something_else_lacks_is_no_matter_of_the_environment() -> None:
    lacking: Any = object()
    effect: Needy = asks(lambda _: lacking.commands)
    with pytest.raises(AttributeError) as caught:
        run(effect, Ship())
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_one_job_was_given_no_other_job_of_its_worker_sees(backend: Backend) -> None:
    async def seen(env: str) -> Result[str, Never]:
        await anyio.lowlevel.checkpoint()
        return Success(env)

    look = from_async(seen)
    jobs: list[Effect[str, Never, str]] = [
        look.local(str.upper),
        look,
        look.provide("given"),
        look,
        look,
    ]
    result = run(par_all_limit(jobs, 1), "outer", backend=backend)
    assert Success(["OUTER", "outer", "given", "outer", "outer"]) == result
