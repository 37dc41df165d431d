from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from anyio import to_thread

from anabranch.environment import Oid
from anabranch.services.git import GitRepository, GitRun, abandoned, release_abandoned
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
def at_work(bench: Bench, *arguments: str, cwd: Path | None = None) -> Generator[None]:
    """A git that waits for its input, in the repository unless told otherwise."""
    process = subprocess.Popen(
        ["git", *arguments],
        cwd=cwd or bench.repo.path,
        env=bench.repo.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    # For a moment after it has begun, a process does not say what it was started as.
    while process.poll() is None and not Path(f"/proc/{process.pid}/cmdline").read_bytes():
        os.sched_yield()
    try:
        yield
    finally:
        process.communicate()


def elsewhere(tmp_path: Path) -> Path:
    """A directory outside the repository, and not above it."""
    path = tmp_path / "elsewhere"
    path.mkdir()
    return path.resolve()


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


def test_options_of_git_itself_do_not_hide_what_it_is_asked(bench: Bench) -> None:
    locked(bench, "packed-refs.lock")
    with at_work(bench, "-C", ".", "-c", "a.b=c", "--no-pager", "update-ref", "--stdin"):
        assert {"packed-refs.lock"} == released(bench)


@pytest.mark.parametrize(
    "arguments",
    [
        ("hash-object", "--stdin", "update-ref"),
        ("-C", "update-ref", "hash-object", "--stdin"),
        ("--git-dir", ".git", "--work-tree", "update-ref", "hash-object", "--stdin"),
    ],
)
def test_a_word_that_is_no_command_does_not_make_a_git_quick(
    bench: Bench, arguments: tuple[str, ...]
) -> None:
    path = locked(bench, "index.lock")
    (bench.repo.path / "update-ref").mkdir()
    with at_work(bench, *arguments):
        assert set() == released(bench)
    assert path.exists()


def test_a_git_at_work_elsewhere_holds_no_lock_here(bench: Bench, tmp_path: Path) -> None:
    locked(bench, "index.lock")
    with at_work(bench, "hash-object", "--stdin", cwd=elsewhere(tmp_path)):
        assert {"index.lock"} == released(bench)


@pytest.mark.parametrize(
    ("error", "stays"), [(errno.EACCES, True), (errno.ENOENT, False), (errno.ESRCH, False)]
)
def test_a_git_whose_place_cannot_be_read_may_hold_a_lock_unless_it_is_gone(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, stays: bool
) -> None:
    path = locked(bench, "index.lock")
    read = os.readlink

    def readlink(path: str | Path) -> str:
        if str(path).startswith("/proc/") and str(path).endswith("/cwd"):
            raise OSError(error, os.strerror(error), str(path))
        return read(path)

    with at_work(bench, "hash-object", "--stdin", cwd=elsewhere(tmp_path)):
        monkeypatch.setattr(os, "readlink", readlink)
        released(bench)
    assert stays == path.exists()


@pytest.mark.parametrize("linked", [False, True])
def test_a_git_is_seen_in_a_working_tree_whose_git_directory_lies_elsewhere(
    bench: Bench, tmp_path: Path, linked: bool
) -> None:
    apart = elsewhere(tmp_path) / "modules" / "lib"
    apart.parent.mkdir()
    bench.repo.git("init", "--quiet", "--separate-git-dir", apart)
    top = bench.repo.path
    if linked:
        bench.repo.git("config", "core.worktree", os.path.relpath(top, apart))
        bench.repo.git("worktree", "add", "--quiet", "--detach", apart.parent / "tree")
        top = apart.parent / "tree"
    repository = GitRepository.open(str(top), environ=bench.repo.environ).unwrap()
    path = locked(bench, "index.lock")
    assert apart == path.parent
    with at_work(bench, "hash-object", "--stdin"):
        assert () == release_abandoned(repository, "r1", BEGAN, patience=timedelta())
    assert path.exists()


def test_no_shared_lock_is_abandoned_where_processes_cannot_be_seen(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = locked(bench, "index.lock")
    monkeypatch.setattr(abandoned, "can_see", lambda: False)
    assert set() == released(bench)
    assert path.exists()


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
