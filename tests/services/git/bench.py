from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
from returns.pipeline import is_successful
from returns.result import Result

from anabranch.services.git import GitRepository, GitRun, git_run
from anabranch.testing.repositories import ScratchRepository

T = TypeVar("T")
E = TypeVar("E")


class Bench:
    """A scratch repository, and a way to run one scenario after another in it."""

    def __init__(self, repo: ScratchRepository) -> None:
        self.repo = repo

    @property
    def repository(self) -> GitRepository:
        return GitRepository.open(str(self.repo.path), environ=self.repo.environ).unwrap()

    def files(self) -> dict[str, bytes]:
        """What lies in the working tree, git's own files left out."""
        top = self.repo.path
        found = (path for path in top.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {str(path.relative_to(top)): path.read_bytes() for path in found}

    def __call__(
        self,
        scenario: Callable[[GitRun], Awaitable[T]],
        run: str = "r1",
        backend: str = "asyncio",
    ) -> T:
        async def main() -> T:
            async with git_run(self.repository, run) as git:
                return await scenario(git)

        return anyio.run(main, backend=backend)


def failure(answer: Result[T, E]) -> E:
    """The error of an answer that has to be one."""
    assert not is_successful(answer)
    return answer.failure()
