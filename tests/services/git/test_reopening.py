"""A worktree that a process left behind is taken up again by the next one of the same run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from anabranch.environment import Worktree, WorktreeRequest
from anabranch.services.git import GitRun, find_worktrees, git_run
from anabranch.services.git.files import turn_file
from anabranch.services.git.registry import Registry
from tests.services.git.bench import Bench
from tests.services.git.forest import order, trees_of
from tests.services.git.victim import victim

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


KILLED = """
        tree = (await git.worktrees.create(WorktreeRequest(name="run", parent="main"))).unwrap()
        repo.at(tree.path).commit({"committed": "1"})
        repo.at(tree.path).write({"untracked": "2", "a.txt": "changed"})
"""


def test_everything_is_there_after_a_kill(bench: Bench) -> None:
    with victim(bench.repo, KILLED):
        pass
    (found,) = find_worktrees(bench.repository)
    Path(found.path, ".git").unlink()

    async def scenario(git: GitRun) -> tuple[tuple[str, ...], tuple[str, ...]]:
        tree = (await git.worktrees.reopen(REQUEST)).unwrap()
        assert tree is not None
        changes = (await git.worktrees.changes(tree)).unwrap()
        return changes.added, changes.dirty

    assert (("committed",), ("a.txt", "untracked")) == bench(scenario)


def test_one_that_was_only_half_made_is_not_taken_up(bench: Bench) -> None:
    with victim(bench.repo, KILLED):
        pass
    (found,) = find_worktrees(bench.repository)
    lock = Path(found.admin, "locked")
    lock.write_text(lock.read_text().replace(", run:", ", .run:"))

    async def scenario(git: GitRun) -> set[str]:
        assert (await git.worktrees.reopen(REQUEST)).unwrap() is None
        tree = (await git.worktrees.create(REQUEST)).unwrap()
        return {path.name for path in Path(tree.path).iterdir()}

    assert {"a.txt", "dir", ".git"} == bench(scenario)


def test_trees_that_nobody_worked_in_are_gone_once_another_run_begins(bench: Bench) -> None:
    with victim(bench.repo, KILLED + "        (await git.worktrees.remove(tree)).unwrap()\n"):
        pass
    assert [".slot-0"] == [tree.name for tree in find_worktrees(bench.repository)]

    async def scenario(_: GitRun) -> int:
        return len(find_worktrees(bench.repository))

    assert 0 == bench(scenario, run="r2")


def test_a_living_process_keeps_the_trees_that_nobody_works_in(bench: Bench) -> None:
    async def scenario(git: GitRun) -> int:
        tree = (await git.worktrees.create(REQUEST)).unwrap()
        (await git.worktrees.remove(tree)).unwrap()
        async with git_run(bench.repository, "r2"):
            return len(find_worktrees(bench.repository))

    assert 1 == bench(scenario)


class Killed(BaseException):
    """What a process that is killed would not have lived to see."""


@pytest.mark.parametrize("kind", ["slots", "slots copies"])
@pytest.mark.parametrize("writes", [0, 1])
def test_one_that_was_being_given_back_stands_on_its_commits_or_is_none(
    bench: Bench, kind: str, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with trees_of(kind, bench) as trees:
        tree = trees.make(order(bench, 0, "anabranch/r1/agent-0"))
        commit = bench.repo.at(Path(tree.path)).commit({"made": "it"})
        dies = _killed_after(writes)
        with monkeypatch.context() as patch:
            for room in ("slots", "registry"):
                patch.setattr(f"anabranch.services.git.{room}.turn_file", dies)
            with pytest.raises(Killed):
                trees.take_away(tree)
        left = Registry(repository=bench.repository, run="r1").take_up("agent-0")
        assert left is None or commit == bench.repo.at(Path(left.path)).head
        assert commit == bench.repo.git("rev-parse", "anabranch/r1/agent-0")


def _killed_after(writes: int) -> Callable[[str, bytes], None]:
    """Writes files as long as the process lives."""
    left = [writes]

    def write(path: str, data: bytes) -> None:
        if not left[0]:
            raise Killed
        left[0] -= 1
        turn_file(path, data)

    return write
