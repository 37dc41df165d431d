"""Another process, told to end in order."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import evolve

from anabranch.services.owners import Owner, read_owner, this_process
from anabranch.services.stopping import end_in_order

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="holds processes by `pidfd`")

SOURCE = Path(__file__).parents[2] / "src"

PROGRAM = """
import signal, sys
from anabranch.services.owners import this_process, write_owner
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(write_owner(this_process()).decode(), end="", flush=True)
signal.pause()
"""


@contextmanager
def another() -> Generator[tuple[subprocess.Popen[bytes], Owner]]:
    """A process that ends with 7 when it is told to, and who it is."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env={"PYTHONPATH": str(SOURCE)}, stdout=subprocess.PIPE
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
        assert end_in_order(owner)
        assert 7 == process.wait(0)


def test_one_that_has_ended_was_not_alive() -> None:
    with another() as (process, owner):
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not end_in_order(owner)


def test_one_that_only_has_its_number_is_left_alone() -> None:
    with another() as (process, owner):
        assert not end_in_order(evolve(owner, started="1"))
        assert process.poll() is None


def test_one_of_another_boot_is_left_alone() -> None:
    assert not end_in_order(evolve(this_process(), boot="another"))
