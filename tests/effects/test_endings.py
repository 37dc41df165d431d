"""How effects end when neither a value nor a failure ends them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Never

import anyio
import pytest
from returns.result import Failure, Result, Success

from anabranch import (
    Effect,
    FinaliserErrors,
    Scope,
    bracket,
    fail,
    from_async,
    from_function,
    par_all,
    par_settle,
    par_try_all,
    race,
    run,
    run_async,
    scoped,
    sleep,
    succeed,
    timeout,
    traverse,
)
from anabranch.interpreters import Backend
from anabranch.testing import run_virtual

BACKENDS: tuple[Backend, ...] = ("asyncio", "trio")


def note(log: list[str], text: str) -> Effect[None, Never, object]:
    return succeed(text).map(log.append)


def raising(error: BaseException) -> Effect[int, Never, object]:
    def call(_: object) -> Result[int, Never]:
        raise error

    return from_function(call)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("combine", [par_all, par_try_all, race])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_the_wish_to_exit_comes_out_of_parallel_effects(
    combine: Any, error: BaseException, backend: Backend
) -> None:
    later: list[int] = []
    effect = combine([raising(error), succeed(1).map(later.append)])
    with pytest.raises(type(error)) as caught:
        run(effect, backend=backend)
    assert (error, []) == (caught.value, later)


def test_on_trio_it_does_so_also_when_others_have_to_be_ended_first() -> None:
    log: list[str] = []
    held = bracket(
        succeed(None),
        lambda _: sleep(0).and_then(lambda _: note(log, "released")),
        lambda _: sleep("1h"),
    )
    exits = sleep("1ms").and_then(lambda _: raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        run(par_all([held, par_all([exits, held])]), backend="trio")
    assert ["released", "released"] == log


def test_a_leaf_whose_own_task_was_cancelled_by_others_cancels_the_group() -> None:
    async def cancelled_elsewhere(_: object) -> Result[int, Never]:
        other = asyncio.ensure_future(asyncio.sleep(3600))
        asyncio.get_running_loop().call_soon(other.cancel)
        await other
        return Success(1)

    with pytest.raises(asyncio.CancelledError):
        run(par_all([from_async(cancelled_elsewhere), succeed(2)]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_acquired_while_the_cancellation_comes_is_released(backend: Backend) -> None:
    log: list[str] = []

    async def main() -> None:
        with anyio.CancelScope() as scope:

            async def acquire(_: object) -> Result[str, Never]:
                scope.cancel()
                await anyio.lowlevel.checkpoint()
                log.append("acquired")
                return Success("it")

            await run_async(
                bracket(
                    from_async(acquire).map(str.upper),
                    lambda it: note(log, f"released {it}"),
                    lambda _: sleep("1h").and_then(lambda _: note(log, "used")),
                )
            )

    anyio.run(main, backend=backend)
    assert ["acquired", "released IT"] == log


def half_an_hour(how: str) -> Effect[object, object, object]:
    wait = sleep("30m")
    ways: dict[str, Effect[object, object, object]] = {
        "alone": wait,
        "several": par_all([wait, wait]),
        "limited": timeout(wait, "1h"),
        "limited, inside": par_all([timeout(wait, "1h")]),
    }
    return ways[how]


@pytest.mark.parametrize("how", ["alone", "several", "limited", "limited, inside"])
def test_an_acquisition_goes_on_to_its_end_whatever_it_is_made_of(how: str) -> None:
    log: list[str] = []
    held = bracket(
        half_an_hour(how).tap(lambda _: note(log, "acquired")),
        lambda _: note(log, "released"),
        lambda _: note(log, "used"),
    )
    ended = run_virtual(timeout(held, "1s").settled())
    assert (1800, ["acquired", "released"]) == (ended.elapsed, log)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_scope_releases_what_was_acquired_while_the_cancellation_came(backend: Backend) -> None:
    log: list[str] = []

    async def main() -> None:
        with anyio.CancelScope() as cancelled:

            async def acquire(_: object) -> Result[str, Never]:
                cancelled.cancel()
                await anyio.lowlevel.checkpoint()
                return Success("it")

            def use(scope: Scope[Never, object]) -> Effect[None, Never, object]:
                resource = scope.acquire(
                    from_async(acquire), lambda it: note(log, f"released {it}")
                )
                return resource.and_then(lambda _: sleep("1h"))

            await run_async(scoped(use))

    anyio.run(main, backend=backend)
    assert ["released it"] == log


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_acquisition_may_limit_its_own_time(backend: Backend) -> None:
    slow = timeout(sleep("1h"), "1ms").map_error(str)
    effect = bracket(slow, lambda _: succeed(None), succeed)
    assert Failure("timed out after 0.001s") == run(effect, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_defect_is_not_lost_when_the_cancellation_comes_after_it(backend: Backend) -> None:
    async def main() -> None:
        with anyio.CancelScope() as scope:
            cancel = sleep(0).map(lambda _: scope.cancel())
            slow = bracket(succeed(None), lambda _: sleep(0), lambda _: sleep("1h"))
            await run_async(par_all([raising(ValueError("bug")), fail("no"), cancel, slow]))

    with pytest.raises(ValueError, match="bug"):
        anyio.run(main, backend=backend)


def test_all_errors_of_finalisers_are_kept_in_the_order_in_which_they_ran() -> None:
    def use(scope: Scope[str, object]) -> Effect[int, Never, object]:
        finalisers = [scope.add(fail("first")), scope.add(succeed(None)), scope.add(fail("last"))]
        return traverse(finalisers, lambda add: add).as_(1)

    result = run(scoped(use))
    assert Failure(FinaliserErrors(("last", "first"))) == result
    assert "a finaliser failed: last\na finaliser failed: first" == str(result.failure())


def test_what_is_for_an_interruption_runs_after_a_defect_or_a_cancellation_only() -> None:
    log: list[str] = []
    effects: list[Effect[Any, Any, object]] = [
        succeed(1).on_interrupt(note(log, "value")),
        fail("no").on_interrupt(note(log, "failure")),
        raising(ValueError("bug")).on_interrupt(note(log, "defect")),
        timeout(sleep("1h").on_interrupt(note(log, "cancellation")), "1ms"),
    ]
    with pytest.raises(ValueError, match="bug"):
        run(par_settle(effects))
    assert ["defect", "cancellation"] == log


NOTHING: Any = None
FORGETFUL: dict[str, Effect[Any, Any, object]] = {
    "and_then": succeed(1).and_then(lambda _: NOTHING),
    "and_then, after a wait": sleep(0).and_then(lambda _: NOTHING),
    "or_else": fail("no").or_else(lambda _: NOTHING),
    "use": bracket(succeed(1), lambda _: succeed(0), lambda _: NOTHING),
    "release": bracket(succeed(1), lambda _: NOTHING, succeed),
    "release, after a failure": bracket(succeed(1), lambda _: NOTHING, fail),
    "job": par_all([succeed(1).and_then(lambda _: NOTHING), succeed(2)]),
}


@pytest.mark.parametrize("how", FORGETFUL)
def test_a_function_that_forgets_to_return_its_effect_is_told(how: str) -> None:
    effect = FORGETFUL[how]
    for execute in (run, partial(run, backend="trio"), run_virtual):
        with pytest.raises(TypeError, match="expected an effect, got None"):
            execute(effect)


def test_a_release_that_is_no_effect_does_not_hide_what_was_raised() -> None:
    effect = bracket(succeed(1), lambda _: NOTHING, lambda _: raising(ValueError("bug")))
    with pytest.raises(ExceptionGroup) as caught:
        run(effect)
    assert [ValueError, TypeError] == [type(error) for error in caught.value.exceptions]
