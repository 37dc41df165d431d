from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from returns.result import Success

from anabranch.cli import main
from anabranch.environment import WorktreeRequest
from anabranch.lifecycle import RunCreated, RunMoved
from anabranch.services.git import GitRepository, git_run
from anabranch.services.journal import open_journal
from anabranch.testing.repositories import ScratchRepository
from anabranch.values import RunStatus
from tests.cli.terminal import Terminal
from tests.transcripts import make_repository

_VARYING = [
    (re.compile(r"process \d+ on \S+?(?=[ \"])"), "process 17 on box"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d"), "2026-03-14 12:00"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00"), "2026-03-14T12:00:00+00:00"),
    (re.compile(r"\d+ KiB"), "8 KiB"),
    (re.compile(r"(?<=\S) {2,}(?=\S)"), "  "),  # a column is as wide as the paths of this machine
    (re.compile(r'"size_bytes": \d+'), '"size_bytes": 8192'),
]


@pytest.fixture
def repository(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> ScratchRepository:
    make_repository(terminal.directory / "repo")
    monkeypatch.chdir(terminal.directory / "repo")
    terminal.varying = _VARYING
    return ScratchRepository(path=terminal.directory / "repo")


def leave(repository: ScratchRepository, run: str, *names: str) -> list[Path]:
    """Worktrees of a run whose process did not take them away."""

    async def scenario() -> list[Path]:
        opened = GitRepository.open(str(repository.path)).unwrap()
        async with git_run(opened, run) as git:
            made: list[Path] = []
            for name in names:
                request = WorktreeRequest(name=name, parent="main")
                match await git.worktrees.create(request):
                    case Success(tree):
                        made.append(Path(tree.path))
                    case failed:
                        raise AssertionError(failed)
            return made

    return anyio.run(scenario)


def begin(repository: ScratchRepository, run: str) -> None:
    """The journal of a run that was killed."""

    async def scenario() -> None:
        directory = repository.path / ".git" / "anabranch" / "runs" / run
        created = RunCreated(
            run=run, workflow="w", digest="d", branch="b", base="HEAD", target=None, limits={}
        )
        async with open_journal(directory, now=lambda: datetime.now(UTC)) as journal:
            (await journal.append(created, RunMoved(to=RunStatus.RUNNING))).unwrap()

    anyio.run(scenario)


def test_what_was_left_behind_is_shown_and_then_taken_away(
    terminal: Terminal, repository: ScratchRepository
) -> None:
    trees = leave(repository, "r1", "agent-0", "agent-1")
    (trees[1] / "notes").write_text("worth keeping")
    commands = ("list", "clean", "clean --yes", "list --json", "clean --unsaved --yes", "clean")
    for command in commands:
        assert 0 == terminal.type(f"anabranch worktrees {command}")
    terminal.matches("worktrees")


def test_nothing_is_touched_without_a_yes(
    terminal: Terminal, repository: ScratchRepository
) -> None:
    (tree,) = leave(repository, "r1", "agent-0")
    terminal.type("anabranch worktrees clean --unsaved --resumable --json")
    assert tree.exists()


def test_what_was_used_a_moment_ago_is_kept_if_so_told(
    terminal: Terminal, repository: ScratchRepository
) -> None:
    (tree,) = leave(repository, "r1", "agent-0")
    terminal.type("anabranch worktrees clean --yes --older-than 12h")
    assert tree.exists()


def test_the_worktree_that_a_run_would_be_resumed_in_is_kept_until_told_otherwise(
    terminal: Terminal, repository: ScratchRepository
) -> None:
    own, agent = leave(repository, "r1", "run", "agent-0")
    begin(repository, "r1")
    terminal.type("anabranch worktrees clean --yes")
    assert (True, False) == (own.exists(), agent.exists())
    terminal.type("anabranch worktrees clean --yes --resumable")
    assert not own.exists()


def test_what_a_living_run_uses_is_never_touched(
    repository: ScratchRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario() -> Path:
        opened = GitRepository.open(str(repository.path)).unwrap()
        async with git_run(opened, "r1") as git:
            request = WorktreeRequest(name="agent-0", parent="main")
            tree = (await git.worktrees.create(request)).unwrap()
            assert 0 == main(["worktrees", "clean", "--yes", "--unsaved", "--resumable", "--json"])
            return Path(tree.path)

    assert anyio.run(scenario).exists()
    (found,) = json.loads(capsys.readouterr().out)["worktrees"]
    assert ("alive", "keep") == (found["life"], found["verdict"])


def test_what_cannot_be_taken_away_is_told(
    terminal: Terminal, repository: ScratchRepository
) -> None:
    leave(repository, "r1", "agent-0")
    place = repository.path.with_name("repo.anabranch")
    (place / ".trash").write_text("in the way")
    assert 1 == terminal.type("anabranch worktrees clean --yes")
    assert os.path.lexists(place / "r1")


def test_a_duration_that_is_none_is_refused(
    terminal: Terminal, repository: ScratchRepository
) -> None:
    del repository
    assert 2 == terminal.type("anabranch worktrees clean --older-than soon")
