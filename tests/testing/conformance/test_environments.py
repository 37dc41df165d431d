"""Every environment of ours passes the suite that a user's own has to pass; what breaks a law does not."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from returns.result import Result, Success

from anabranch.environment import (
    CommandOutput,
    Environment,
    FileError,
    Merge,
    MergeError,
    MergeRequest,
    Worktree,
)
from anabranch.services.files import LocalFiles
from anabranch.services.git import GitRepository, git_run
from anabranch.services.journal import MemoryJournal, open_journal
from anabranch.services.processes import LocalCommands
from anabranch.testing import mock_env, printed
from anabranch.testing.conformance import check_environment_laws
from anabranch.testing.git import MemoryRepository, memory_repository
from anabranch.testing.repositories import git_repo

pytestmark = pytest.mark.anyio

Answers = Mapping[str, CommandOutput]


def now() -> datetime:
    return datetime(2026, 3, 14, tzinfo=UTC)


@frozen
class Only:
    """An environment with one or two ports."""

    files: Any = None
    journal: Any = None
    worktrees: Any = None
    merges: Any = None

    def __attrs_post_init__(self) -> None:
        for name in ("files", "journal", "worktrees", "merges"):
            if getattr(self, name) is None:
                object.__delattr__(self, name)


def hand_in(repository: MemoryRepository) -> Callable[[Worktree, str, bytes], Awaitable[object]]:
    async def hand(tree: Worktree, path: str, data: bytes) -> object:
        return repository.tree(tree).commit({path: data})

    return hand


async def test_real_services_obey_the_laws(tmp_path: Path) -> None:
    numbers = iter(range(99))

    @asynccontextmanager
    async def make(_: Answers) -> AsyncGenerator[Environment]:
        number = next(numbers)
        repo = git_repo(tmp_path / str(number) / "shop")
        opened = GitRepository.open(str(repo.path), environ=repo.environ).unwrap()
        async with (
            git_run(opened, "laws") as git,
            open_journal(tmp_path / f"journal-{number}", now=now) as journal,
        ):
            yield Environment(
                worktrees=git.worktrees,
                merges=git.merges,
                commands=LocalCommands(),
                files=LocalFiles(),
                journal=journal,
            )

    await check_environment_laws(make, directory=str(tmp_path))


async def test_mocks_obey_the_laws() -> None:
    def make(answers: Answers) -> Any:
        return mock_env(commands={**answers, "*": printed()})

    await check_environment_laws(make, directory="/mock")


async def test_the_git_in_memory_obeys_the_laws() -> None:
    repository = memory_repository()
    run = repository.run("laws")
    only = Only(worktrees=run.worktrees, merges=run.merges)
    await check_environment_laws(lambda _: only, directory="/", hand=hand_in(repository))


async def test_the_journal_in_memory_obeys_the_laws() -> None:
    await check_environment_laws(lambda _: Only(journal=MemoryJournal()), directory="/")


@frozen
class Careless:
    """Files that lose what is written over, or merges that do not look where the branch is."""

    inner: Any

    async def write(self, path: str, data: bytes) -> Result[None, FileError]:
        return Success(None) if "over" in path else await self.inner.write(path, data)

    async def read(self, path: str) -> Result[bytes, FileError]:
        return Success(b"") if path.endswith("over") else await self.inner.read(path)

    async def merge(self, request: MergeRequest) -> Result[Merge, MergeError]:
        merged: Merge = (await self.inner.merge(request)).unwrap()
        return Success(evolve(merged, before=request.base))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


async def test_files_that_are_lost_are_found_out() -> None:
    files = Careless(mock_env().files)
    with pytest.raises(AssertionError, match=r"/over holds .* expected b'\\n'"):
        await check_environment_laws(lambda _: Only(files=files), directory="/x")


async def test_merges_that_overtake_each_other_are_found_out() -> None:
    repository = memory_repository()
    run = repository.run("laws")
    only = Only(worktrees=run.worktrees, merges=Careless(run.merges))
    with pytest.raises(AssertionError, match=r"its merges end at|was merged again"):
        await check_environment_laws(lambda _: only, directory="/", hand=hand_in(repository))


async def test_an_environment_without_ports_is_none() -> None:
    with pytest.raises(AssertionError, match="no port at all"):
        await check_environment_laws(lambda _: object(), directory="/")
