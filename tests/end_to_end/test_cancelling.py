"""Runs that are cancelled from another process, in real repositories."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from anabranch.engine import open_repository
from anabranch.lifecycle import (
    Delivered,
    DeliveryStarted,
    Payload,
    PhaseStarted,
    StopReason,
    StopRequested,
)
from anabranch.services.journal import open_journal
from anabranch.services.runs import run_directory
from tests.end_to_end.test_resuming import Held, held
from tests.end_to_end.test_runs import COMMAND, anabranch, environment, left_over, run_of, survivors

__all__ = ["held"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def run_in(held: Held) -> str:
    return run_of(anabranch(held.repository, "status").stdout)


def test_a_run_at_work_ends_in_order_and_is_cancelled(held: Held) -> None:
    run = run_in(held)
    done = anabranch(held.repository, "cancel", run)
    assert (0, "") == (done.returncode, done.stderr)
    assert f"run {run} is cancelled; process {held.process.pid} on " in done.stdout
    assert 130 == held.process.wait(0)
    assert [] == left_over(held.repository)
    assert [] == survivors(f"TEST_MARK={held.place}")
    assert "" == held.repository.git("status", "--porcelain")


def test_status_resume_and_events_agree_that_it_is_cancelled(held: Held) -> None:
    run = run_in(held)
    anabranch(held.repository, "cancel", run)
    assert "held: cancelled" in anabranch(held.repository, "status").stdout
    told = json.loads(anabranch(held.repository, "status", "--json").stdout)
    assert ("cancelled", "cancelled") == (told["status"], told["stop"]["reason"])
    assert {"cancelled": 3} == told["agents"]
    for again in ("resume", "cancel"):
        refused = anabranch(held.repository, again, run)
        assert (2, True) == (refused.returncode, "the run has ended" in refused.stderr)
    assert "run_moved to=cancelled" in anabranch(held.repository, "events").stdout


def test_a_dead_run_is_cancelled_and_what_it_left_is_ended(held: Held) -> None:
    run = run_in(held)
    held.kill()
    done = anabranch(held.repository, "cancel", run, "--json")
    assert 0 == done.returncode, done.stderr
    expected: dict[str, object] = {
        "run": run,
        "status": "cancelled",
        "process": None,
        "branches": [],
    }
    assert expected == json.loads(done.stdout)
    assert [] == survivors(f"TEST_MARK={held.place}")
    assert [] == left_over(held.repository)


def test_work_that_was_committed_and_not_merged_is_named(held: Held) -> None:
    run = run_in(held)
    (held.place / "go").touch()
    os.kill(held.process.pid, signal.SIGSTOP)
    held.kill()
    branches = [f"anabranch/{run}/{name}" for name in ("result", "agent-1")]
    for branch in branches:
        tree = held.repository.git("commit-tree", "-p", branch, "-m", "made", f"{branch}^{{tree}}")
        held.repository.git("update-ref", f"refs/heads/{branch}", tree)
    path = str(held.repository.path)
    done = anabranch(held.repository, "cancel", run, "--repo", path)
    assert 0 == done.returncode, done.stderr
    for branch in branches:
        assert f"kept: branch {branch} holds work that was not delivered" in done.stdout
        assert f"next: git -C {path} merge --no-overwrite-ignore {branch}\n" in done.stdout
    assert "-D" not in done.stdout
    assert sorted(branches) == left_over(held.repository)


def is_told_to_end(pid: int) -> bool:
    """Whether a stopped process has a SIGTERM before it."""
    status = Path(f"/proc/{pid}/status").read_text()
    pending = int(status.partition("ShdPnd:")[2].split()[0], 16)
    return bool(pending & 1 << signal.SIGTERM - 1)


def test_cancelling_can_be_interrupted_while_its_run_does_not_end(held: Held) -> None:
    run = run_in(held)
    os.kill(held.process.pid, signal.SIGSTOP)
    cancelling = subprocess.Popen(
        [*COMMAND, "cancel", run],
        cwd=held.repository.path,
        env=environment(held.repository),
        stderr=subprocess.DEVNULL,
    )
    while not is_told_to_end(held.process.pid):
        assert cancelling.poll() is None
    cancelling.send_signal(signal.SIGINT)
    assert 130 == cancelling.wait(60)
    os.kill(held.process.pid, signal.SIGCONT)
    assert 130 == held.process.wait(60)


def kill_after(held: Held, run: str, *told: Payload) -> None:
    """Kill the process of a run, as if it had told some more before."""

    async def append() -> None:
        directory = run_directory(open_repository(str(held.repository.path)).state, run)
        async with open_journal(directory, now=lambda: datetime.now(UTC)) as journal:
            for payload in told:
                journal.note(payload)

    held.kill()
    anyio.run(append)


def test_a_run_that_was_killed_in_its_delivery_is_resumed_and_not_cancelled(held: Held) -> None:
    run = run_in(held)
    begun = DeliveryStarted(branch=f"anabranch/{run}/result")
    kill_after(held, run, PhaseStarted(phase="deliver"), begun)
    refused = anabranch(held.repository, "cancel", run)
    assert (2, True) == (refused.returncode, "the delivery was under way" in refused.stderr)
    assert f"anabranch resume {run}" in refused.stderr
    told = anabranch(held.repository, "status").stdout
    assert "its delivery was under way" in told
    assert "nothing of yours was changed" not in told


def test_a_run_that_was_half_cancelled_is_cancelled_and_not_resumed(held: Held) -> None:
    run = run_in(held)
    left = Delivered(commit="0" * 40, delivered=False, reason="the run was cancelled")
    kill_after(held, run, StopRequested(reason=StopReason.CANCELLED), left)
    refused = anabranch(held.repository, "resume", run)
    assert (2, True) == (refused.returncode, "somebody began to cancel the run" in refused.stderr)
    assert f"anabranch cancel {run}" in refused.stderr
    assert 0 == anabranch(held.repository, "cancel", run).returncode
    assert "held: cancelled" in anabranch(held.repository, "status").stdout


def test_a_run_that_is_not_there_is_told(held: Held) -> None:
    refused = anabranch(held.repository, "cancel", "r0")
    assert (2, True) == (refused.returncode, "there is no such run: r0" in refused.stderr)
