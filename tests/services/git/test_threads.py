from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio import to_thread

from anabranch.services.git.threads import Lane, step_aside

AT_ONCE = 16
BACKENDS = ("asyncio", "trio")
SECONDS = 30
"""Longer than anything here takes that does not hang for ever."""

MOMENT_SECONDS = 0.001
"""In which another thread gets its turn, if there is one."""


@asynccontextmanager
async def laned() -> AsyncGenerator[Lane]:
    lane = Lane()
    try:
        with anyio.fail_after(SECONDS):
            yield lane
    finally:
        lane.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_work_is_done_in_turn_and_never_two_pieces_at_once(backend: str) -> None:
    done, met = list[int](), list[int]()
    alone, never = threading.Lock(), threading.Event()

    def piece(number: int) -> None:
        done.append(number)
        if alone.acquire(blocking=False):
            never.wait(MOMENT_SECONDS)
            alone.release()
        else:
            met.append(number)

    async def scenario() -> None:
        async with laned() as lane, anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(lane.run, lambda number=number: piece(number))

    anyio.run(scenario, backend=backend)
    assert (set(range(100)), []) == (set(done), met)


@pytest.mark.parametrize("backend", BACKENDS)
def test_who_steps_aside_holds_nobody_up(backend: str) -> None:
    passed = threading.Event()

    def slow() -> bool:
        step_aside()
        return passed.wait(SECONDS)

    async def scenario() -> list[bool]:
        answers = list[bool]()

        async def ask(piece: Callable[[], bool]) -> None:
            answers.append(await lane.run(piece))

        def quick() -> bool:
            passed.set()
            return True

        async with laned() as lane, anyio.create_task_group() as tasks:
            tasks.start_soon(ask, slow)
            tasks.start_soon(ask, quick)
        return answers

    assert [True, True] == anyio.run(scenario, backend=backend)


def test_more_may_step_aside_than_are_let_in_at_once_also_if_they_hold_a_lock() -> None:
    lock, done = threading.Lock(), list[int]()

    def piece(number: int) -> None:
        if number % 2:
            step_aside()
        with lock:
            step_aside()
            done.append(number)

    async def scenario() -> None:
        async with laned() as lane, anyio.create_task_group() as tasks:
            for number in range(200):
                tasks.start_soon(lane.run, lambda number=number: piece(number))

    anyio.run(scenario)
    assert set(range(200)) == set(done)


def test_no_more_are_let_in_at_once_than_is_good() -> None:
    lock, inside, most = threading.Lock(), 0, 0
    full = threading.Barrier(AT_ONCE)

    def count(more: int) -> None:
        nonlocal inside, most
        with lock:
            inside += more
            most = max(most, inside)

    def piece() -> None:
        step_aside()
        count(1)
        full.wait(SECONDS)
        count(-1)

    async def scenario() -> None:
        async with laned() as lane, anyio.create_task_group() as tasks:
            for _ in range(10 * AT_ONCE):
                tasks.start_soon(lane.run, piece)

    anyio.run(scenario)
    assert AT_ONCE == most


def test_a_defect_is_for_whoever_asked() -> None:
    def broken() -> None:
        raise ZeroDivisionError

    async def scenario() -> int:
        async with laned() as lane:
            with pytest.raises(ZeroDivisionError):
                await lane.run(broken)
            return await lane.run(lambda: 1)

    assert 1 == anyio.run(scenario)


@pytest.mark.parametrize("backend", BACKENDS)
def test_work_that_has_begun_goes_to_its_end_also_if_nobody_waits_any_more(backend: str) -> None:
    begun, cancelled, done = threading.Event(), threading.Event(), list[int]()

    def piece() -> None:
        begun.set()
        cancelled.wait(SECONDS)
        done.append(1)

    async def scenario() -> None:
        async with laned() as lane, anyio.create_task_group() as tasks:
            tasks.start_soon(lane.run, piece)
            await to_thread.run_sync(begun.wait)
            tasks.cancel_scope.cancel()
            cancelled.set()

    anyio.run(scenario, backend=backend)
    assert [1] == done


def closed_while_it_steps_aside(lane: Lane) -> None:
    lane.close()
    step_aside()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("last", [Lane.close, closed_while_it_steps_aside])
def test_work_that_comes_after_the_end_is_done_too(
    backend: str, last: Callable[[Lane], None]
) -> None:
    answers = list[int]()

    async def scenario() -> None:
        lane = Lane()
        await lane.run(lambda: last(lane))
        lane.close()
        answers.append(await lane.run(lambda: 1))
        lane.close()

    outside = threading.Thread(target=lambda: anyio.run(scenario, backend=backend), daemon=True)
    outside.start()
    outside.join(SECONDS)
    assert [1] == answers


def test_where_no_thread_can_be_had_whoever_steps_aside_fails_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = list[int]()

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError(f"no room for {thread.name}")

    def crowded() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            step_aside()

    async def scenario() -> None:
        lane = Lane()
        with pytest.raises(BlockingIOError, match="no room"):
            await lane.run(crowded)
        answers.append(await lane.run(lambda: 1))
        lane.close()

    outside = threading.Thread(target=lambda: anyio.run(scenario), daemon=True)
    outside.start()
    outside.join(SECONDS)
    assert [1] == answers
