"""The live interpreter, on both backends."""

from __future__ import annotations

from operator import add
from typing import Any, Never

import anyio
import anyio.to_thread
import pytest
from returns.result import Failure, Result, Success

from anabranch import (
    ConfigError,
    ContextError,
    Do,
    Effect,
    EmptyRace,
    GraphError,
    ParallelError,
    ReleaseError,
    TimedOut,
    UsageError,
    ask,
    asks,
    bracket,
    do,
    fail,
    from_async,
    from_blocking,
    from_function,
    par_all,
    par_all_limit,
    par_fold,
    par_graph,
    par_settle,
    par_try_all,
    race,
    run,
    sleep,
    succeed,
    timeout,
    traverse,
    zip_par,
)
from anabranch.interpreters import Backend

Log = list[str]


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> Backend:
    name: Backend = request.param
    return name


def note(text: str) -> Effect[None, Never, Log]:
    def write(log: Log) -> Result[None, Never]:
        log.append(text)
        return Success(None)

    return from_function(write)


def passing(value: int) -> Effect[int, Never, object]:
    async def call(_: object) -> Result[int, Never]:
        await anyio.lowlevel.checkpoint()
        return Success(value)

    return from_async(call)


def closing(_: object) -> Effect[None, Never, Log]:
    return note("close")


forever = sleep("1h")


def test_an_effect_that_is_run_twice_does_it_twice(backend: Backend) -> None:
    log: Log = []
    effect = note("a").and_then(lambda _: note("b"))
    run(effect, log, backend=backend)
    run(effect, log, backend=backend)
    assert log == ["a", "b", "a", "b"]


def test_a_do_function_reads_like_code_and_stops_at_the_first_failure(backend: Backend) -> None:
    log: Log = []

    @do
    def program(start: int) -> Do[int, str, Log]:
        yield from note("begin")
        one = yield from passing(start)
        try:
            yield from fail("stop") if one > 1 else succeed(None)
        finally:
            log.append("cleaned")
        return one

    assert Success(1) == run(program(1), log, backend=backend)
    assert Failure("stop") == run(program(2), log, backend=backend)
    assert log == ["begin", "cleaned"] * 2


def test_par_all_keeps_input_order_and_every_result(backend: Backend) -> None:
    effects = [sleep(0.02 - n / 1000).as_(n) for n in range(8)]
    assert Success(list(range(8))) == run(par_all(effects), backend=backend)
    mixed = [passing(1), fail("x"), passing(3), fail("y")]
    expected = Failure(ParallelError({1: "x", 3: "y"}, {0: 1, 2: 3}))
    assert expected == run(par_all(mixed), backend=backend)


def test_par_all_limit_runs_no_more_than_the_limit_at_once(backend: Backend) -> None:
    running, seen = [0], list[int]()

    async def job(_: object) -> Result[None, Never]:
        running[0] += 1
        seen.append(running[0])
        await anyio.lowlevel.checkpoint()
        running[0] -= 1
        return Success(None)

    run(par_all_limit((from_async(job) for _ in range(50)), 4), backend=backend)
    assert (max(seen), len(seen)) == (4, 50)


def test_the_first_failure_cancels_the_siblings_and_waits_for_their_finalisers(
    backend: Backend,
) -> None:
    log: Log = []
    slow = bracket(note("open"), lambda _: sleep(0).and_then(closing), lambda _: forever)
    effects: list[Effect[Any, str, Log]] = [slow, passing(1).and_then(lambda _: fail("x")), slow]
    assert Failure("x") == run(par_try_all(effects), log, backend=backend)
    assert log == ["open", "open", "close", "close"]


def test_the_winner_of_a_race_is_the_first_to_complete_either_way(backend: Backend) -> None:
    assert Success(2) == run(race([forever.as_(1), passing(2)]), backend=backend)
    assert Failure("x") == run(race([forever, fail("x")]), backend=backend)
    assert Failure(EmptyRace()) == run(race(list[Effect[int, str, object]]()), backend=backend)


def test_a_timeout_is_a_failure_and_the_finalisers_have_run(backend: Backend) -> None:
    log: Log = []
    inner = bracket(note("open"), lambda _: note("close"), lambda _: forever)
    result = run(timeout(inner, "10ms").settled().tap(lambda _: note("seen")), log, backend=backend)
    assert isinstance(result.unwrap().failure(), TimedOut)
    assert log == ["open", "close", "seen"]


def test_both_errors_are_kept_when_use_and_release_fail() -> None:
    effect = bracket(succeed(1), lambda _: fail("release"), lambda _: fail("use"))
    assert Failure(ReleaseError("use", "release")) == run(effect)


def test_labels_are_carried_from_the_inside_out() -> None:
    effect = fail("boom").context("inner").map(str).context("outer")
    assert Failure(ContextError("boom", ("inner", "outer"))) == run(effect)


def test_a_defect_is_raised_as_it_is_with_the_labels_as_notes() -> None:
    effect = succeed(0).map(lambda n: 1 // n).context("divide").span("compute")
    with pytest.raises(ZeroDivisionError) as caught:
        run(effect)
    assert caught.value.__notes__ == ["in divide", "in compute"]


def test_defects_of_several_effects_are_all_raised(backend: Backend) -> None:
    def broken(text: str) -> Effect[int, Never, object]:
        async def call(_: object) -> Result[int, Never]:
            raise ValueError(text)

        return from_async(call)

    with pytest.raises(ExceptionGroup) as caught:
        run(par_all([broken("a"), passing(1), broken("b")]), backend=backend)
    assert ["a", "b"] == sorted(str(error) for error in caught.value.exceptions)


def test_a_graph_starts_each_effect_when_its_dependencies_are_done(backend: Backend) -> None:
    log: Log = []
    effects = {name: note(name).as_(1) for name in "abcd"}
    order = {"a": ["b"], "b": ["c"], "d": ["c"]}
    assert Success(dict.fromkeys("abcd", 1)) == run(par_graph(effects, order), log, backend=backend)
    assert log[0] == "c"
    assert log.index("b") < log.index("a")


def test_a_failed_node_of_a_graph_skips_what_is_downstream_only(backend: Backend) -> None:
    effects: dict[str, Effect[int, str, object]] = {
        "a": fail("x"),
        "b": passing(2),
        "c": passing(3),
    }
    result = run(par_graph(effects, {"b": ["a"]}), backend=backend)
    assert Failure(GraphError({"a": "x"}, {"c": 3}, {"b": "a"})) == result


def test_a_cycle_in_a_graph_is_named() -> None:
    with pytest.raises(UsageError, match="'a' → 'b' → 'a'"):
        par_graph({"a": succeed(1), "b": succeed(2)}, {"a": ["b"], "b": ["a"]})


def test_blocking_functions_run_on_threads_at_the_same_time(backend: Backend) -> None:
    import threading

    meeting = threading.Barrier(3, timeout=20)

    def meet(_: object) -> Result[int, Never]:
        return Success(meeting.wait())

    result = run(par_all([from_blocking(meet)] * 3), backend=backend)
    assert [0, 1, 2] == sorted(result.unwrap())


def test_the_environment_is_asked_changed_and_provided() -> None:
    length: Effect[int, Never, str] = asks(len)
    assert Success(3) == run(length, "abc")
    assert Success(1) == run(length.local(str), 7)
    here: Effect[str, Never, str] = ask()
    assert Success("x") == run(here.provide("x"))


def test_what_is_no_effect_is_refused_with_a_hint() -> None:
    no_effect: Any = int
    with pytest.raises(TypeError, match="`map` takes plain functions"):
        run(succeed("1").and_then(no_effect))


def test_the_error_of_a_graph_says_how_many_failed_and_what_was_skipped_for_which() -> None:
    effects = {"a": passing(1), "b": fail("no"), "c": passing(2)}
    error = run(par_graph(effects, {"c": ["b"]})).failure()
    expected = ["1 of 3 effects of the graph failed", "  b: no", "  c: skipped, upstream b failed"]
    assert expected == str(error).splitlines()


def test_an_async_leaf_that_makes_nothing_to_await_is_refused_with_a_hint(
    backend: Backend,
) -> None:
    def no_awaitable(_: object) -> Any:
        return Success(1)

    leaf: Effect[int, Never, object] = from_async(no_awaitable)
    for effect in (leaf, par_all_limit([succeed(1), leaf], 1), succeed(1).and_finally(leaf)):
        with pytest.raises(TypeError, match="`from_function` is for plain functions"):
            run(effect, backend=backend)


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, "2"])
def test_a_limit_that_is_no_whole_number_from_1_on_is_refused(limit: Any) -> None:
    with pytest.raises(UsageError, match="a limit is a whole number, at least 1"):
        par_all_limit([succeed(1)], limit)


def test_a_wait_for_nothing_is_refused() -> None:
    nothing: Any = None
    with pytest.raises(ConfigError, match="not a duration: None"):
        sleep(nothing)


def test_an_effect_of_an_iterator_says_that_it_can_run_only_once() -> None:
    effect = par_all(succeed(n) for n in range(3))
    assert Success([0, 1, 2]) == run(effect)
    with pytest.raises(UsageError, match="already run once"):
        run(effect)


def test_folding_settling_traversing_and_zipping(backend: Backend) -> None:
    total = par_fold((passing(n) for n in range(100)), 8, 0, add)
    assert Success(4950) == run(total, backend=backend)
    assert Success([Success(1), Failure("x")]) == run(
        par_settle([passing(1), fail("x")]), backend=backend
    )
    both = traverse([1, 2], passing)
    assert Success([1, 2]) == run(both, backend=backend)
    assert Success((1, "b")) == run(zip_par(passing(1), succeed("b")), backend=backend)


def test_a_million_steps_need_no_python_stack() -> None:
    left: Effect[int, Never, object] = succeed(0)
    for _ in range(1_000_000):
        left = left.and_then(lambda n: succeed(n + 1))
    assert Success(1_000_000) == run(left)
    right: Effect[int, Never, object] = succeed(0)
    for _ in range(1_000_000):
        right = succeed(right).and_then(lambda rest: rest)
    assert Success(0) == run(right)
    assert "<999989 more>" in repr(left)


def test_deeply_nested_groups_and_timeouts_run(backend: Backend) -> None:
    effect: Effect[Any, Any, object] = passing(1)
    for _ in range(1000):
        effect = par_all([effect])
    assert isinstance(run(effect, backend=backend), Success)
    limited: Effect[Any, Any, object] = passing(1)
    for _ in range(1000):
        limited = timeout(limited, 60)
    assert Success(1) == run(limited, backend=backend)


def test_a_defect_comes_out_of_deeply_nested_timeouts_as_it_is(backend: Backend) -> None:
    effect: Effect[Any, Any, object] = sleep(0).map(lambda _: 1 // 0)
    for _ in range(40):
        effect = timeout(effect, 60)
    with pytest.raises(ZeroDivisionError):
        run(effect, backend=backend)


def test_where_an_event_loop_runs_already_the_other_way_to_run_is_named(backend: Backend) -> None:
    async def inside() -> None:
        with pytest.raises(RuntimeError, match=r"`await run_async\(effect\)` instead"):
            run(succeed(1))

    anyio.run(inside, backend=backend)
    assert Success(1) == run(succeed(1), backend=backend)


def test_a_thread_beside_an_event_loop_has_none_of_its_own(backend: Backend) -> None:
    async def beside() -> Result[int, Never]:
        return await anyio.to_thread.run_sync(lambda: run(succeed(1), backend=backend))

    assert Success(1) == anyio.run(beside, backend=backend)
