"""A worktree that a process left behind is taken up again by the next one of the same run."""

from __future__ import annotations

import shutil
from pathlib import Path

from anabranch.environment import Worktree, WorktreeRequest
from anabranch.services.git import GitRun
from tests.services.git.bench import Bench

REQUEST = WorktreeRequest(name="run", parent="main")


def leave(bench: Bench) -> Worktree:
    """Make a tree with an untracked file in it, and go."""

    async def scenario(git: GitRun) -> Worktree:
        tree = (await git.worktrees.create(REQUEST)).unwrap()
        Path(tree.path, "untracked").write_text("kept")
        return tree

    return bench(scenario)


def test_it_is_as_it_was_left_and_can_be_taken_away(bench: Bench) -> None:
    left = leave(bench)
    Path(bench.repo.git("-C", left.path, "rev-parse", "--absolute-git-dir"), "index.lock").touch()

    async def scenario(git: GitRun) -> Worktree:
        tree = (await git.worktrees.reopen(REQUEST)).unwrap()
        assert tree is not None
        assert ("untracked",) == (await git.worktrees.changes(tree)).unwrap().dirty
        bench.repo.git("-C", tree.path, "add", "--all")
        (await git.worktrees.remove(tree)).unwrap()
        return tree

    assert left == bench(scenario)
    assert not Path(left.path).exists()
    assert 1 == bench.repo.git("worktree", "list", "--porcelain").count("worktree ")


def test_it_is_signed_by_the_process_that_reopened_it(bench: Bench) -> None:
    left = leave(bench)
    listed = bench.repo.git("worktree", "list", "--porcelain")
    stranger = listed.partition("process ")[2].split()[0]
    admin = Path(bench.repo.git("-C", left.path, "rev-parse", "--absolute-git-dir"))
    locked = admin / "locked"
    locked.write_text(locked.read_text().replace(f"process {stranger} ", "process 1 "))

    async def scenario(git: GitRun) -> str:
        (await git.worktrees.reopen(REQUEST)).unwrap()
        return locked.read_text()

    assert f"process {stranger} " in bench(scenario)


def test_one_that_is_gone_or_never_was_is_none(bench: Bench) -> None:
    async def scenario(git: GitRun) -> Worktree | None:
        return (await git.worktrees.reopen(REQUEST)).unwrap()

    assert None is bench(scenario)
    shutil.rmtree(leave(bench).path)
    assert None is bench(scenario)


def test_that_of_another_run_is_not_taken(bench: Bench) -> None:
    leave(bench)

    async def scenario(git: GitRun) -> Worktree | None:
        return (await git.worktrees.reopen(REQUEST)).unwrap()

    assert None is bench(scenario, run="r2")
