"""Nothing of a command is alive once it was ended, whoever ended it."""

from __future__ import annotations

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

from anabranch.environment import CommandFault
from anabranch.services.processes import (
    BestContainment,
    Containment,
    GroupContainment,
    LocalCommands,
    ReaperContainment,
)
from tests.services.processes.survivors import alive, all_dead, family, whole_family

CONTAINMENTS: dict[str, Callable[[], Containment]] = {
    "best": BestContainment,
    "reaper": ReaperContainment,
    "group": GroupContainment,
}
# At most: what has left the session and cleared its environment escapes sessions and groups.
SURVIVORS = {"best": 0, "reaper": 0, "group": 1}
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
        assert SURVIVORS[kind] >= len(alive(mark))
    await runner.aclose()


@pytest.mark.anyio
async def test_after_a_cancellation_nothing_is_alive(tmp_path: Path, kind: str) -> None:
    runner = LocalCommands(containment=CONTAINMENTS[kind]())
    with family(tmp_path) as (invocation, mark):
        short = evolve(invocation, grace=timedelta(seconds=0.05))
        with anyio.CancelScope() as scope:
            await runner.run(short, lambda _stream, _lines: scope.cancel())
        assert scope.cancelled_caught
        assert SURVIVORS[kind] >= len(alive(mark))
    await runner.aclose()


@contextmanager
def owner(kind: str, cwd: Path) -> Generator[tuple[subprocess.Popen[bytes], set[int]]]:
    """Another process that runs a family of commands, and the pids of that family."""
    with family(cwd) as (invocation, mark):
        argv = [sys.executable, str(OWNER), kind, *invocation.argv]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=quiet, cwd=cwd) as process:
            try:
                assert process.stdout is not None
                assert b"ready\n" == process.stdout.readline()
                yield process, whole_family(mark)
            finally:
                process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("kind", ["best", "reaper"])
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
