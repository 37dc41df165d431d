"""Nothing of a command is alive once it was ended, whoever ended it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from attrs import evolve

from anabranch.environment import CommandFault, Invocation
from anabranch.services.processes import (
    BestContainment,
    Containment,
    GroupContainment,
    LocalCommands,
    ReaperContainment,
)
from anabranch.services.processes.warden import processes
from tests.services.processes.survivors import (
    alive,
    all_dead,
    family,
    hung_up,
    restless,
    whole_family,
)

CONTAINMENTS: dict[str, Callable[[], Containment]] = {
    "best": BestContainment,
    "reaper": ReaperContainment,
    "group": GroupContainment,
}
OWNER = Path(__file__).with_name("owner.py")


@pytest.fixture(params=CONTAINMENTS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.anyio
async def test_after_a_timeout_nothing_is_alive(tmp_path: Path, kind: str) -> None:
    runner = LocalCommands(containment=CONTAINMENTS[kind]())
    with family(tmp_path) as (invocation, mark):
        limited = evolve(invocation, timeout=timedelta(seconds=0.7), grace=timedelta(seconds=0.05))
        error = (await runner.run(limited)).failure()
        assert CommandFault.TIMED_OUT is error.fault
        assert error.output is not None
        assert b"ready\n" == error.output.stdout.head
        assert set() == alive(mark)
    await runner.aclose()


RESTLESS = [
    (containment, kind)
    for containment in CONTAINMENTS
    for kind in ("chain", "sessions", "headless")
    if (containment, kind) != ("group", "sessions")
]


@pytest.mark.parametrize(("containment", "kind"), RESTLESS)
@pytest.mark.anyio
async def test_what_is_hard_to_catch_is_ended_too(
    tmp_path: Path, containment: str, kind: str
) -> None:
    runner = LocalCommands(containment=CONTAINMENTS[containment]())
    with restless(kind, tmp_path) as (invocation, watch):
        short = evolve(invocation, grace=timedelta(seconds=0.01))
        with anyio.CancelScope() as scope:
            await runner.run(short, lambda _stream, _lines: scope.cancel())
        assert scope.cancelled_caught
        assert hung_up(watch)
        await runner.aclose()


@pytest.mark.parametrize(("containment", "kind"), [row for row in RESTLESS if row[0] != "group"])
def test_what_is_hard_to_catch_is_ended_with_an_owner_that_is_killed(
    tmp_path: Path, containment: str, kind: str
) -> None:
    with restless(kind, tmp_path) as (invocation, watch):
        with start_owner(containment, invocation) as process:
            process.kill()
        assert hung_up(watch)


@pytest.mark.anyio
async def test_after_a_cancellation_nothing_is_alive(tmp_path: Path, kind: str) -> None:
    runner = LocalCommands(containment=CONTAINMENTS[kind]())
    with family(tmp_path) as (invocation, mark):
        short = evolve(invocation, grace=timedelta(seconds=0.05))
        with anyio.CancelScope() as scope:
            await runner.run(short, lambda _stream, _lines: scope.cancel())
        assert scope.cancelled_caught
        assert set() == alive(mark)
    await runner.aclose()


def zombies() -> set[int]:
    return {pid for pid, parent, *_, dead in processes() if dead and parent == os.getpid()}


@pytest.mark.anyio
async def test_orphans_of_nobody_knows_which_command_are_ended_at_the_latest_with_the_runner(
    tmp_path: Path,
) -> None:
    before, runner = zombies(), LocalCommands(containment=GroupContainment())
    with family(tmp_path) as (one, mark), family(tmp_path) as (other, other_mark):
        async with anyio.create_task_group() as tasks:
            for invocation in (one, other):
                limit, grace = timedelta(seconds=0.7), timedelta(seconds=0.05)
                tasks.start_soon(runner.run, evolve(invocation, timeout=limit, grace=grace))
        await runner.aclose()
        assert set() == alive(mark) | alive(other_mark)
    assert set() == zombies() - before


DAEMON = """
pid=$(env -i PATH="$PATH" setsid sh -c 'sleep 1000 >/dev/null 2>&1 & echo $!')
echo born
until test -e go; do sleep 0.01; done
kill -0 $pid && echo alive
"""


@pytest.mark.anyio
async def test_an_orphan_that_may_be_of_another_command_is_left_to_that(
    tmp_path: Path, kind: str
) -> None:
    up, scope = anyio.Event(), anyio.CancelScope()
    async with LocalCommands(containment=CONTAINMENTS[kind]()) as runner:

        async def short() -> None:
            waits = Invocation(argv=("sh", "-c", "echo up; sleep 1000"), cwd=str(tmp_path))
            with scope:
                await runner.run(waits, lambda _stream, _lines: up.set())
            (tmp_path / "go").touch()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(short)
            await up.wait()
            leaves = Invocation(argv=("sh", "-c", DAEMON), cwd=str(tmp_path))
            done = await runner.run(leaves, lambda _stream, _lines: scope.cancel())
            assert b"born\nalive\n" == done.unwrap().stdout.head


@pytest.mark.anyio
async def test_what_a_command_leaves_running_ends_with_the_runner(
    tmp_path: Path, kind: str
) -> None:
    with family(tmp_path) as (_, mark):
        argv = ("sh", "-c", f"setsid sleep {mark} >/dev/null 2>&1 & echo $!")
        async with LocalCommands(containment=CONTAINMENTS[kind]()) as runner:
            done = await runner.run(Invocation(argv=argv, cwd=str(tmp_path)))
        assert all_dead({int(done.unwrap().stdout.text)})


@contextmanager
def start_owner(kind: str, invocation: Invocation) -> Generator[subprocess.Popen[bytes]]:
    """Another process that runs a command, which has said that it is ready."""
    argv = [sys.executable, str(OWNER), kind, *invocation.argv]
    pipe, quiet, cwd = subprocess.PIPE, subprocess.DEVNULL, invocation.cwd
    with subprocess.Popen(argv, stdout=pipe, stderr=quiet, cwd=cwd) as process:
        try:
            assert process.stdout is not None
            assert b"ready\n" == process.stdout.readline()
            yield process
        finally:
            process.kill()


@contextmanager
def owner(kind: str, cwd: Path) -> Generator[tuple[subprocess.Popen[bytes], set[int]]]:
    """Another process that runs a family of commands, and the pids of that family."""
    with family(cwd) as (invocation, mark), start_owner(kind, invocation) as process:
        yield process, whole_family(mark)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        *((kind, signal.SIGKILL) for kind in ("best", "reaper")),
        *((kind, number) for kind in CONTAINMENTS for number in (signal.SIGINT, signal.SIGTERM)),
    ],
)
def test_when_a_signal_ends_the_owner_nothing_is_alive(
    tmp_path: Path, kind: str, number: signal.Signals
) -> None:
    with owner(kind, tmp_path) as (process, pids):
        process.send_signal(number)
        assert all_dead(pids)


def test_a_fork_of_the_owner_that_lives_on_keeps_nothing_alive(tmp_path: Path) -> None:
    with owner("forking", tmp_path) as (process, pids):
        process.kill()
        assert all_dead(pids)
