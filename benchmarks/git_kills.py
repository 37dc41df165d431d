"""`kill -9` at random moments inside each operation of git: the next run heals by itself.

    python -m benchmarks.git_kills [KILLS] [SEED]

A forked process does one operation in a small repository and is killed at a moment drawn from
the time that the operation takes. The git command that it had just started lives on for as long
as it needs, as it would on a user's machine. Then another process of the same run does all that
a run does, with no more care than usual, and everything is looked at: nothing may be left over,
broken or lost.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

import anyio
from attrs import evolve, frozen

from anabranch.environment import MergeRequest, Oid, Worktree, WorktreeRequest
from anabranch.services.git import (
    GitRepository,
    GitRun,
    Retention,
    find_worktrees,
    git_run,
    plan_cleaning,
    sweep,
)
from anabranch.testing.repositories import ScratchRepository, git_repo

RESULT: Final = "anabranch/r1/result"
AGENT: Final = WorktreeRequest(name="agent-0", parent=RESULT, branch="anabranch/r1/agent-0")
OTHER: Final = WorktreeRequest(name="agent-1", parent=RESULT, branch="anabranch/r1/agent-1")
FILES: Final = {f"d{n % 7}/f{n}": f"{n}\n" * 9 for n in range(60)}

Begin: TypeAlias = Callable[[], object]
Act: TypeAlias = Callable[[GitRun, ScratchRepository, Begin], Awaitable[None]]


async def create(git: GitRun, repo: ScratchRepository, begin: Begin) -> None:
    """The first worktree of a run."""
    del repo
    begin()
    (await git.worktrees.create(AGENT)).unwrap()


async def recycle(git: GitRun, repo: ScratchRepository, begin: Begin) -> None:
    """A worktree that was used before."""
    tree = await worked(git, repo)
    repo.at(tree.path).write({"d1/left": "left"})
    (await git.worktrees.remove(tree)).unwrap()
    begin()
    (await git.worktrees.create(OTHER)).unwrap()


async def remove(git: GitRun, repo: ScratchRepository, begin: Begin) -> None:
    """One that is taken away for good: the run ends, too."""
    tree = await worked(git, repo)
    begin()
    (await git.worktrees.remove(tree)).unwrap()
    await anyio.to_thread.run_sync(git.worktrees.trees.close)


async def merge(git: GitRun, repo: ScratchRepository, begin: Begin) -> None:
    """An agent's work, into the run's branch."""
    tree = await worked(git, repo)
    begin()
    await merged(git, tree)


async def take_over(git: GitRun, repo: ScratchRepository, begin: Begin) -> None:
    """A merge, and the branch goes with it."""
    tree = await worked(git, repo)
    request = evolve(await request_for(git, tree), drops=tree.branch)
    (await git.worktrees.remove(tree)).unwrap()
    begin()
    (await git.merges.merge(request)).unwrap()


async def deliver(git: GitRun, repo: ScratchRepository, begin: Begin) -> None:
    """The result, into the user's checkout."""
    await merged(git, await worked(git, repo))
    begin()
    (await git.merges.deliver(RESULT)).unwrap()


async def drop(git: GitRun, repo: ScratchRepository, begin: Begin) -> None:
    """A branch that nobody needs any more."""
    tree = await worked(git, repo)
    (await git.worktrees.remove(tree)).unwrap()
    begin()
    (await git.merges.drop(str(AGENT.branch))).unwrap()


async def advance(git: GitRun, repo: ScratchRepository, begin: Begin) -> None:
    """The run's own worktree, brought forward to what was merged."""
    own = (await git.worktrees.create(WorktreeRequest(name="run", parent=RESULT))).unwrap()
    merge_commit = await merged(git, await worked(git, repo))
    begin()
    (await git.worktrees.advance(own, merge_commit)).unwrap()


OPERATIONS: Final[dict[str, Act]] = {
    act.__name__: act for act in (create, recycle, remove, merge, take_over, deliver, drop, advance)
}
KINDS: Final = (*OPERATIONS, "clean")


async def worked(git: GitRun, repo: ScratchRepository) -> Worktree:
    """An agent that has committed something: changes, additions and deletions."""
    tree = (await git.worktrees.create(AGENT)).unwrap()
    edits: dict[str, str | None] = {f"d{n % 7}/f{n}": f"changed {n}\n" for n in range(0, 60, 3)}
    there = repo.at(tree.path)
    edits |= {f"new/{n}": f"{n}\n" for n in range(20)}
    edits |= {path: None for path in ("d1/f1", "d2/f2") if (there.path / path).exists()}
    there.write(edits)
    there.commit()
    return tree


async def request_for(git: GitRun, tree: Worktree) -> MergeRequest:
    """What an agent has done is to be on the run's branch."""
    head = (await git.worktrees.changes(tree)).unwrap().head
    return MergeRequest(target=RESULT, source=head, base=tree.base, message="Merge")


async def merged(git: GitRun, tree: Worktree) -> Oid:
    """What an agent has done is on the run's branch."""
    return (await git.merges.merge(await request_for(git, tree))).unwrap().commit


@frozen
class Scene:
    """A repository in which one thing after the other is killed."""

    repo: ScratchRepository

    @property
    def repository(self) -> GitRepository:
        return GitRepository.open(str(self.repo.path), environ=self.repo.environ).unwrap()

    @classmethod
    def at(cls, path: Path) -> Scene:
        """A repository with an untracked file of the user in it."""
        scene = cls(git_repo(path, FILES))
        scene.repo.write({"mine": "untracked"})
        return scene

    async def operate(self, kind: str, begin: Begin) -> None:
        """Prepare an operation, say that it begins, and do it."""
        if kind == "clean":
            begin()
            self.clean()
            return
        async with git_run(self.repository, "r1") as git:
            (await git.merges.start(RESULT)).unwrap()
            await OPERATIONS[kind](git, self.repo, begin)
            os._exit(0)

    def clean(self) -> None:
        """What `anabranch worktrees clean --yes --unsaved` does."""
        found = find_worktrees(self.repository)
        sweep(self.repository, plan_cleaning(found, Retention(unsaved=False), datetime.now(UTC)))

    def kill(self, kind: str, after: float | None) -> float:
        """Operate in another process, killed so many seconds after it began; how long it took."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                anyio.run(self.operate, kind, lambda: os.write(writer, b"!"))
                os._exit(0)
            finally:
                os._exit(1)
        os.close(writer)
        with os.fdopen(reader, "rb") as begun:
            assert begun.read(1), f"{kind} could not be prepared"
        start = time.perf_counter()
        if after is not None:
            time.sleep(after)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert after is not None or status == 0, f"{kind} failed"
        return time.perf_counter() - start

    async def next_run(self) -> None:
        """What the next process does with the same run: the whole of it."""
        async with git_run(self.repository, "r1") as git:
            (await git.merges.start(RESULT)).unwrap()
            left = (await git.worktrees.reopen(WorktreeRequest(name="run", parent=RESULT))).unwrap()
            tree = await worked(git, self.repo)
            commit = await merged(git, tree)
            if left is not None:
                (await git.worktrees.advance(left, commit)).unwrap()
                assert self.repo.at(left.path).git("status", "--porcelain") == ""
                (await git.worktrees.remove(left)).unwrap()
            (await git.worktrees.remove(tree)).unwrap()
            (await git.worktrees.remove((await git.worktrees.create(OTHER)).unwrap())).unwrap()
            for request in (AGENT, OTHER):
                (await git.merges.drop(str(request.branch))).unwrap()
            delivery = (await git.merges.deliver(RESULT)).unwrap()
            assert delivery.delivered, delivery

    def heal(self) -> None:
        """Do what comes next, and find nothing amiss."""
        anyio.run(self.next_run)
        self.clean()
        git = self.repo.git
        assert git("for-each-ref", "--format=%(refname:short)") == "main"
        assert len(git("worktree", "list").splitlines()) == 1
        assert git("status", "--porcelain") == "?? mine", git("status")
        assert (self.repo.path / "mine").read_text() == "untracked"
        git("fsck", "--no-dangling", "--strict")
        inside = Path(self.repository.common)
        locks = [path for path in inside.rglob("*.lock") if "objects" not in path.parts]
        assert locks == []
        assert list(inside.glob("worktrees/*")) == []
        assert not self.repo.path.with_name(f"{self.repo.path.name}.anabranch").exists()


def kill_many(kind: str, kills: int, seed: int) -> float:
    """Kill one operation so many times, in fresh repositories; how long it takes, in seconds."""
    draw = random.Random(f"{kind} {seed}")
    with tempfile.TemporaryDirectory() as above:
        lasts = _one(Path(above, "whole"), kind, None)
        for number in range(kills):
            after = draw.uniform(0, lasts * 1.1)
            try:
                _one(Path(above, str(number)), kind, after)
            except BaseException as error:
                error.add_note(f"{kind}, seed {seed}, kill {number}, after {after * 1e3:.2f} ms")
                raise
    return lasts


def _one(path: Path, kind: str, after: float | None) -> float:
    scene = Scene.at(path)
    if kind == "clean":
        scene.kill("create", None)
    took = scene.kill(kind, after)
    scene.heal()
    return took


def main(kills: int = 200, seed: int = 0) -> None:
    for kind in KINDS:
        began = time.perf_counter()
        lasts = kill_many(kind, kills, seed)
        spent = time.perf_counter() - began
        print(
            f"{kind:9} {kills} kills within {lasts * 1e3:6.1f} ms: healed  ({spent:.0f} s)",
            flush=True,
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
