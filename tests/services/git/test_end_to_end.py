"""The benchmark of whole agents, when something in it goes wrong."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from anabranch.testing.repositories import ScratchRepository
from benchmarks._slots import by_hand
from benchmarks.git_end_to_end import WORK, slots
from tests.services.git.bench import Bench


def floor(repo: ScratchRepository, trees: Path, work: str) -> None:
    repo.git("branch", "floor")
    with slots(repo, trees, "floor", 2) as made:
        by_hand(repo.path, {**os.environ, **repo.environ}, made, work=work, agents=5)


def test_the_floor_merges_what_each_agent_commits(bench: Bench, tmp_path: Path) -> None:
    floor(bench.repo, tmp_path, WORK)
    assert {f"file-{n}" for n in range(5)} <= set(bench.repo.files("floor"))


@pytest.mark.parametrize(
    ("work", "error"),
    [
        ('test "$N" != 3', subprocess.CalledProcessError),
        ("echo changed >a.txt", AssertionError),
        (
            "echo 0123456789abcdef0123456789abcdef01234567 >$(git rev-parse --git-path HEAD)",
            (AssertionError, BrokenPipeError),
        ),
    ],
)
def test_a_failing_agent_makes_the_floor_fail_and_no_slot_is_left(
    bench: Bench, tmp_path: Path, work: str, error: type[Exception] | tuple[type[Exception], ...]
) -> None:
    with pytest.raises(error):
        floor(bench.repo, tmp_path, work)
    assert 1 == bench.repo.git("worktree", "list", "--porcelain").count("worktree ")
