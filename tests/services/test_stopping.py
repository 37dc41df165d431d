"""Another process, told to end in order."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest
from attrs import evolve

from anabranch.services.owners import Owner, read_owner, this_process
from anabranch.services.stopping import end_in_order

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="holds processes by `pidfd`")

SOURCE = Path(__file__).parents[2] / "src"

STUBBORN = """
import signal
from anabranch.services.owners import this_process, write_owner
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print(write_owner(this_process()).decode(), end="", flush=True)
signal.sigwait({signal.SIGTERM})
print("told", flush=True)
signal.pause()
"""

PROGRAM = """
import signal, sys
from anabranch.services.owners import this_process, write_owner
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(write_owner(this_process()).decode(), end="", flush=True)
signal.pause()
"""


@contextmanager
def another(program: str = PROGRAM) -> Generator[tuple[subprocess.Popen[bytes], Owner]]:
    """A process that ends with 7 when it is told to, and who it is."""
    with subprocess.Popen(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(SOURCE)}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        owner = read_owner(process.stdout.readline())
        assert owner is not None
        try:
            yield process, owner
        finally:
            process.kill()


def test_it_is_told_and_waited_for() -> None:
    with another() as (process, owner):
        assert anyio.run(end_in_order, owner)
        assert 7 == process.wait(0)


def test_one_that_has_ended_was_not_alive() -> None:
    with another() as (process, owner):
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not anyio.run(end_in_order, owner)


def test_one_that_only_has_its_number_is_left_alone() -> None:
    with another() as (process, owner):
        assert not anyio.run(end_in_order, evolve(owner, started="1"))
        assert process.poll() is None


def test_one_of_another_boot_is_left_alone() -> None:
    assert not anyio.run(end_in_order, evolve(this_process(), boot="another"))


async def begin_and_give_up(process: subprocess.Popen[bytes], owner: Owner) -> None:
    assert process.stdout is not None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(end_in_order, owner)
        assert b"told\n" == await anyio.to_thread.run_sync(process.stdout.readline)
        tasks.cancel_scope.cancel()


def test_who_waits_for_one_that_does_not_end_can_give_up() -> None:
    with another(STUBBORN) as (process, owner):
        anyio.run(begin_and_give_up, process, owner)
        assert process.poll() is None
