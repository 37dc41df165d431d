from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import define, field

from anabranch.services.git.pristine import TICK_NS, clock_of
from anabranch.services.git.runner import Git
from anabranch.services.git.untracked import Untracked, untracked_files
from anabranch.testing.repositories import ScratchRepository
from tests.services.git.bench import Bench


@define
class Counting:
    """Git that counts how often it was asked."""

    git: Git
    asked: int = field(default=0, init=False)

    def __call__(self, top: str) -> list[str]:
        self.asked += 1
        return untracked_files(self.git, top)


@pytest.fixture(name="repo")
def _repo(bench: Bench) -> ScratchRepository:
    bench.repo.commit({".gitignore": "*.log\n", "in/kept": ""})
    bench.repo.write({"one": "", "noise.log": "", "in/deep/two": ""})
    return bench.repo


@pytest.fixture(name="git")
def _git(bench: Bench) -> Counting:
    return Counting(bench.repository.trees)


def grown_old(top: Path) -> None:
    """Wait until the file system's clock is past what was just written."""
    began = clock_of(str(top.parent))
    while clock_of(str(top.parent)) <= began + 2 * TICK_NS:
        pass


def asked(repo: ScratchRepository, git: Counting) -> Callable[[], list[str]]:
    untracked = Untracked(git, str(repo.path / ".git"))
    return lambda: sorted(untracked.of(str(repo.path)))


def test_what_is_untracked_and_not_ignored_is_listed(
    repo: ScratchRepository, git: Counting
) -> None:
    assert ["in/deep/two", "one"] == asked(repo, git)()


def test_git_is_asked_once_while_nothing_changes(repo: ScratchRepository, git: Counting) -> None:
    listing = asked(repo, git)
    grown_old(repo.path)
    answers = [listing() for _ in range(5)]
    assert (1, [answers[0]] * 5) == (git.asked, answers)


CHANGES: dict[str, Callable[[ScratchRepository], object]] = {
    "a file comes": lambda repo: repo.write({"three": ""}),
    "a file comes deep inside": lambda repo: repo.write({"in/deep/three": ""}),
    "a file comes into a directory that was empty": lambda repo: repo.write({"empty/three": ""}),
    "a file goes": lambda repo: repo.path.joinpath("one").unlink(),
    "a file is added": lambda repo: repo.git("add", "one"),
    "a file is no longer tracked": lambda repo: repo.git("rm", "--cached", "-q", "in/kept"),
    "more is ignored": lambda repo: repo.write({".gitignore": "*.log\none\n"}),
    "more is ignored deep inside": lambda repo: repo.write({"in/.gitignore": "two\n"}),
    "more is ignored privately": lambda repo: repo.write({".git/info/exclude": "one\n"}),
    "a directory becomes a repository": lambda repo: repo.git("init", "-q", "in/deep"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_git_is_asked_again_when_anything_changes(
    repo: ScratchRepository, git: Counting, change: str
) -> None:
    repo.path.joinpath("empty").mkdir()
    listing = asked(repo, git)
    grown_old(repo.path)
    before = listing()
    CHANGES[change](repo)
    after = listing()
    assert (2, True) == (git.asked, before != after)


def test_a_directory_that_cannot_be_read_is_left_to_git(
    repo: ScratchRepository, git: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = asked(repo, git)
    assert [["in/deep/two", "one"]] * 2 == [listing(), listing()]
