"""Many worktrees at once, while somebody else works in the same repository.

    python -m benchmarks.git_crowd [AGENTS] [AT_ONCE]

Each agent gets a worktree, commits in it, is merged, and its worktree and branch go. Beside
them another process runs `git gc`, `git worktree prune`, `git branch`, `git worktree add` and
`git fetch` over and over again. At the end nothing may have failed, be left over or be broken.

What is refused to the other process is printed and does not count: `git fetch` and `git gc` look at the
`HEAD` of each worktree, and stop if one goes meanwhile, as they do beside plain `git worktree`. Nor does an
agent count as our failure whose own `git add` finds that `git gc` took away the directory that it was about
to write into: it is told, and has to leave as little behind as any other.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import anyio
from attrs import define, field, frozen

from anabranch.environment import MergeRequest, Oid, WorktreeRequest
from anabranch.services.git import GitRepository, GitRun, find_worktrees, git_run
from anabranch.services.git.threads import in_thread
from anabranch.testing.repositories import ScratchRepository, git_repo

RESULT = "anabranch/crowd/result"
GONE = "unable to create temporary file: No such file or directory"


@define
class Neighbour:
    """Somebody with a terminal in the same repository, who does not wait."""

    repo: ScratchRepository
    elsewhere: ScratchRepository
    done: Counter[str] = field(factory=Counter[str])
    complaints: list[str] = field(factory=list[str])
    _over: threading.Event = field(factory=threading.Event)

    def work(self) -> None:
        """Do one thing after the other until it is over."""
        number = 0
        while not self._over.is_set():
            number += 1
            tree = self.repo.path.with_name(f"theirs-{number}")
            for command in (
                ("worktree", "prune"),
                ("branch", f"theirs-{number}"),
                ("fetch", "--quiet", "--prune", "origin"),
                ("worktree", "add", "--quiet", str(tree), f"theirs-{number}"),
                ("gc", "--quiet") if number % 5 == 1 else ("status", "--short"),
                ("worktree", "remove", str(tree)),
                ("branch", "--quiet", "--delete", f"theirs-{number}"),
            ):
                self._type(*command)
            self.elsewhere.commit({f"f{number}": ""})

    def _type(self, *command: str) -> None:
        self.done[command[0]] += 1
        try:
            self.repo.git(*command)
        except AssertionError as error:
            self.complaints.append(f"git {' '.join(command)}: {error}")

    @contextmanager
    def at_work(self) -> Generator[None]:
        """Work beside what happens in the block."""
        thread = threading.Thread(target=self.work)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()


@frozen
class Crowd:
    """The agents, and what became of them."""

    repo: ScratchRepository
    git: GitRun
    base: Oid
    failures: list[str]
    unlucky: list[str]

    async def agent(self, number: int) -> None:
        """One agent from its worktree to its merge."""
        name = f"agent-{number}"
        branch = f"anabranch/crowd/{name}"
        request = WorktreeRequest(name=name, parent=RESULT, base=self.base, branch=branch)
        tree = (await self.git.worktrees.create(request)).unwrap()
        there = self.repo.at(tree.path)
        try:
            await in_thread(lambda: there.commit({f"made/{name}": f"{number}\n"}))
        except AssertionError as error:
            if GONE not in str(error):
                raise
            self.unlucky.append(f"{name}: {error}")
            (await self.git.worktrees.remove(tree)).unwrap()
            (await self.git.merges.drop(branch)).unwrap()
            return
        changes = (await self.git.worktrees.changes(tree)).unwrap()
        (await self.git.worktrees.remove(tree)).unwrap()
        merge = MergeRequest(
            target=RESULT, source=changes.head, base=self.base, message=name, drops=branch
        )
        assert (await self.git.merges.merge(merge)).unwrap().dropped

    async def work(self, agents: int, at_once: int) -> None:
        """All of them."""
        numbers = iter(range(agents))

        async def worker() -> None:
            for number in numbers:
                try:
                    await self.agent(number)
                except Exception as error:  # noqa: BLE001 - all that can go wrong is counted
                    self.failures.append(
                        f"agent-{number}: {error!r} {getattr(error, 'halted_container', '')}"
                    )

        async with anyio.create_task_group() as group:
            for _ in range(at_once):
                group.start_soon(worker)


@frozen(kw_only=True)
class Outcome:
    """What is to be seen at the end."""

    failures: list[str]
    left_over: list[str]
    broken: str
    merged: int
    unlucky: list[str]
    neighbour: Neighbour
    seconds: float


def crowd(above: Path, agents: int, at_once: int) -> Outcome:
    """Let agents and a neighbour work in a repository of their own."""
    elsewhere = git_repo(above / "elsewhere", {f"d{n % 5}/f{n}": f"{n}\n" for n in range(30)})
    elsewhere.git("clone", "--quiet", "--template=", ".", above / "shop")
    repo = elsewhere.at(above / "shop")
    neighbour = Neighbour(repo=repo, elsewhere=elsewhere)
    failures: list[str] = []
    unlucky: list[str] = []

    async def main() -> None:
        repository = GitRepository.open(str(repo.path), environ=repo.environ).unwrap()
        async with git_run(repository, "crowd") as git:
            base = (await git.merges.start(RESULT)).unwrap()
            await Crowd(repo, git, base, failures, unlucky).work(agents, at_once)
            delivery = await git.merges.deliver(RESULT)
            if not delivery.map(lambda done: done.delivered).value_or(False):
                failures.append(f"delivery: {delivery}")

    began = time.perf_counter()
    with neighbour.at_work():
        anyio.run(main)
    return Outcome(
        failures=failures,
        left_over=_left_over(repo),
        broken=repo.git("fsck", "--no-dangling", "--strict"),
        merged=len(list((repo.path / "made").iterdir())),
        unlucky=unlucky,
        neighbour=neighbour,
        seconds=time.perf_counter() - began,
    )


def _left_over(repo: ScratchRepository) -> list[str]:
    """Worktrees, branches, lock files, changes: whatever should not be there."""
    repository = GitRepository.open(str(repo.path), environ=repo.environ).unwrap()
    branches = repo.git("for-each-ref", "--format=%(refname)", "refs/heads").splitlines()
    git = Path(repository.common)
    return [
        *(tree.path for tree in find_worktrees(repository)),
        *map(str, git.glob("worktrees/*")),
        *(name for name in branches if name != "refs/heads/main"),
        *map(str, git.rglob("*.lock")),
        *repo.git("status", "--porcelain").splitlines(),
        *([repository.place] if Path(repository.place).exists() else []),
    ]


def main(agents: int = 1000, at_once: int = 16) -> int:
    """1 if anything failed, was left over or is broken."""
    with tempfile.TemporaryDirectory() as above:
        seen = crowd(Path(above), agents, at_once)
    print(f"{agents} agents, {at_once} at once, {seen.seconds:.0f} s: {seen.merged} merged,")
    print(f"{len(seen.failures)} failures, {len(seen.left_over)} left over, fsck: {seen.broken!r}")
    print(f"beside them: {dict(seen.neighbour.done)}, {len(seen.neighbour.complaints)} refused")
    print(f"agents whose own git met gc: {len(seen.unlucky)}")
    for line in (
        *seen.unlucky,
        *seen.failures[:5],
        *seen.left_over[:5],
        *seen.neighbour.complaints[:5],
    ):
        print(f"  {line}")
    lost = agents - seen.merged - len(seen.unlucky)
    return int(bool(lost or seen.failures or seen.left_over or seen.broken))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
