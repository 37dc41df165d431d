from __future__ import annotations

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from anyio import to_thread

from anabranch.environment import Oid
from anabranch.services.git import GitRun, release_abandoned
from tests.services.git.bench import Bench

BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
LATER = BEGAN + timedelta(hours=1)
SHARED = ("index.lock", "HEAD.lock", "ORIG_HEAD.lock", "packed-refs.lock", "refs/heads/main.lock")


def locked(bench: Bench, name: str, when: datetime = LATER) -> Path:
    """A lock of git, made at some time."""
    path = Path(bench.repository.common, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (when.timestamp(), when.timestamp()))
    return path


def released(bench: Bench) -> set[str]:
    found = release_abandoned(bench.repository, "r1", BEGAN, patience=timedelta())
    return {os.path.relpath(path, bench.repository.common) for path in found}


@contextmanager
def at_work(bench: Bench, *arguments: str) -> Generator[None]:
    """A git that waits for its input in the repository."""
    process = subprocess.Popen(
        ["git", *arguments],
        cwd=bench.repo.path,
        env=bench.repo.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.communicate()


@pytest.mark.parametrize("name", SHARED)
def test_a_lock_that_no_git_can_hold_is_released(bench: Bench, name: str) -> None:
    path = locked(bench, name)
    assert {name} == released(bench)
    assert not path.exists()


def test_a_lock_below_the_runs_own_branches_is_released_whoever_lives(bench: Bench) -> None:
    name = "refs/heads/anabranch/r1/agent-3.lock"
    path = locked(bench, name, datetime.now(UTC))
    with at_work(bench, "hash-object", "--stdin"):
        assert {name} == released(bench)
    assert not path.exists()


def test_a_lock_below_the_branches_of_another_run_stays(bench: Bench) -> None:
    path = locked(bench, "refs/heads/anabranch/r2/agent-3.lock")
    assert set() == released(bench)
    assert path.exists()


def test_a_lock_stays_that_a_living_git_may_hold(bench: Bench) -> None:
    path = locked(bench, "packed-refs.lock")
    with at_work(bench, "hash-object", "--stdin"):
        assert set() == released(bench)
    assert path.exists()


def test_a_git_that_another_run_asks_again_and_again_holds_no_old_lock(bench: Bench) -> None:
    locked(bench, "packed-refs.lock")
    with at_work(bench, "update-ref", "--stdin"):
        assert {"packed-refs.lock"} == released(bench)


def test_a_lock_that_was_there_before_the_run_stays(bench: Bench) -> None:
    path = locked(bench, "index.lock", BEGAN - timedelta(seconds=1))
    assert set() == released(bench)
    assert path.exists()


def test_a_lock_that_was_made_just_now_is_left_for_the_moment(bench: Bench) -> None:
    path = locked(bench, "index.lock", datetime.now(UTC) + timedelta(hours=1))
    assert set() == released(bench)
    assert path.exists()


def test_a_run_is_not_free_while_a_process_lives_that_moves_its_branches(bench: Bench) -> None:
    async def scenario(git: GitRun) -> bool:
        base = (await git.merges.start("anabranch/r1/run")).unwrap()
        assert Oid(bench.repo.head) == base
        return await to_thread.run_sync(_inherited, bench)

    assert bench(scenario)


def _inherited(bench: Bench) -> bool:
    """Whether the run's lock is open in the process that moves branches."""
    lock = Path(bench.repository.state, "runs", "r1", "owner").stat()
    children = " ".join(map(Path.read_text, Path("/proc/self/task").glob("*/children"))).split()
    (mover,) = (Path("/proc", pid) for pid in children if _is_mover(Path("/proc", pid)))
    return any(os.path.samestat(lock, opened.stat()) for opened in (mover / "fd").iterdir())


def _is_mover(process: Path) -> bool:
    return b"update-ref" in (process / "cmdline").read_bytes()
