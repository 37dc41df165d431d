from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from anabranch.planning import Strength
from anabranch.services.doctor import examine, file_system, left_in
from anabranch.testing.repositories import git_repo


def test_a_repository_is_examined_with_the_places_that_a_run_uses(tmp_path: Path) -> None:
    git_repo(tmp_path / "shop")
    machine = examine(str(tmp_path / "shop"))
    assert ["repository", "worktrees", "temporary files"] == list(machine.file_systems)
    assert str(tmp_path / "shop") == machine.file_systems["repository"].path
    assert machine.git[0].isdigit()
    assert () == machine.git_problems


def test_a_repository_that_nobody_may_write_to_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git_repo(tmp_path / "shop")
    mine = str(tmp_path / "shop" / ".git")
    access = os.access

    def not_mine(path: str | Path, mode: int) -> bool:
        return str(path) != mine and access(path, mode)

    monkeypatch.setattr(os, "access", not_mine)
    places = examine(str(tmp_path / "shop")).file_systems
    assert [False, True] == [places[role].writable for role in ("repository", "worktrees")]


def test_a_budget_for_worktrees_is_a_fact_and_one_that_is_none_a_problem(tmp_path: Path) -> None:
    repo = git_repo(tmp_path / "shop", {"large": "x" * 100_000})
    assert examine(str(repo.path)).worktrees is None
    repo.git("config", "anabranch.worktreeBudget", "1m")
    assert 10 == examine(str(repo.path)).worktrees
    repo.git("config", "anabranch.worktreeBudget", "plenty")
    assert ["bad-budget"] == [each.code for each in examine(str(repo.path)).git_problems]


def test_where_there_is_no_repository_the_reason_is_a_fact(tmp_path: Path) -> None:
    machine = examine(str(tmp_path))
    assert ["not-a-repository"] == [problem.code for problem in machine.git_problems]
    assert "" == machine.git


def test_without_git_the_reason_is_a_fact(tmp_path: Path) -> None:
    machine = examine(str(tmp_path), {**os.environ, "PATH": str(tmp_path)})
    assert ["git-missing"] == [problem.code for problem in machine.git_problems]


@pytest.mark.parametrize("script", ["#!/bin/sh\necho broken >&2; exit 1\n", "\x7fELF"])
def test_a_git_that_does_not_work_is_a_fact(tmp_path: Path, script: str) -> None:
    (tmp_path / "git").write_text(script)
    (tmp_path / "git").chmod(0o755)
    (problem,) = examine(str(tmp_path), {"PATH": f"{tmp_path}:{os.defpath}"}).git_problems
    assert "git-fails" == problem.code
    assert problem.value in {"broken", f"[Errno 8] Exec format error: '{tmp_path}/git'"}


@pytest.mark.parametrize("command", ["doctor", "runs"])
def test_a_directory_that_was_removed_under_us_is_told(tmp_path: Path, command: str) -> None:
    gone = 'cd "$0" && rmdir "$0" && exec "$@"'
    argv = ["sh", "-c", gone, str(tmp_path), sys.executable, "-m", "anabranch", command]
    told = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert 3 == told.returncode
    assert "the current directory was removed" in told.stderr


def test_agents_and_wrappers_are_found_on_the_path(tmp_path: Path) -> None:
    for name, text in (("claude", "#!/bin/sh\n"), ("python3", "#!/bin/sh\n"), ("git", "\x7fELF")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    (tmp_path / "git").unlink()
    machine = examine(str(tmp_path), {**os.environ, "PATH": path})
    assert "claude" in machine.agents
    assert str(tmp_path / "python3") == machine.wrappers["python3"]
    assert "git" not in machine.wrappers


def test_containment_without_a_helper_is_weak_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "")
    machine = examine(str(tmp_path))
    assert Strength.GROUP is machine.strength
    assert "there is no Python interpreter to run a helper process with" == machine.weakness


def test_where_no_process_can_be_started_that_is_a_fact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crowded(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "no room")

    monkeypatch.setattr(subprocess, "Popen", crowded)
    machine = examine(str(tmp_path))
    assert ["git-fails"] == [problem.code for problem in machine.git_problems]
    assert (Strength.GROUP, f"[Errno {errno.EAGAIN}] no room", None) == (
        machine.strength,
        machine.weakness,
        machine.start_seconds,
    )


def test_what_a_cgroup_leaves_is_its_limit_less_what_is_used(tmp_path: Path) -> None:
    (tmp_path / "pids.max").write_text("100\n")
    (tmp_path / "pids.current").write_text("30\n")
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("5\n")
    found = [left_in(tmp_path, kind) for kind in ("pids", "memory", "cpu")]
    assert [70, None, None] == found


def test_how_long_a_process_takes_to_start_is_a_fact(tmp_path: Path) -> None:
    assert examine(str(tmp_path)).start_seconds is not None


def test_the_file_system_of_what_is_not_there_yet_is_that_of_what_is_above(tmp_path: Path) -> None:
    assert file_system(str(tmp_path)).path == file_system(str(tmp_path / "a" / "b")).path


def test_a_mounted_file_system_has_a_kind() -> None:
    assert "proc" == file_system("/proc").kind
