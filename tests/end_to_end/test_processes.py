"""Commands of a run and what becomes of the processes that they leave."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from anabranch.effects import Do, do
from anabranch.effects.work import create_worktree, execute, remove_worktree, start_branch
from anabranch.engine import run_in_repository
from anabranch.environment import CommandError, Invocation, MapEnv, MergeError, WorktreeError
from anabranch.testing.repositories import ScratchRepository, git_repo


@pytest.fixture
def repository(tmp_path: Path) -> ScratchRepository:
    return git_repo(tmp_path / "project", {"README": "hello\n"})


def test_what_a_step_left_running_is_ended_before_its_worktree_goes(
    repository: ScratchRepository,
) -> None:
    @do
    def leave_something() -> Do[
        tuple[int, bool], CommandError | MergeError | WorktreeError, MapEnv
    ]:
        yield from start_branch("work")
        tree = yield from create_worktree("one", parent="work")
        script = "sleep 86399 >/dev/null 2>&1 & echo $!"
        said = yield from execute(Invocation(argv=("sh", "-c", script), cwd=tree.path))
        pid = int(said.stdout.text)
        os.kill(pid, 0)
        yield from remove_worktree(tree)
        return pid, Path(f"/proc/{pid}").exists()

    pid, alive = run_in_repository(leave_something(), str(repository.path)).unwrap()
    assert not alive, pid
