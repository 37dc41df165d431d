"""The short version of `benchmarks.git_crowd`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.git_crowd import crowd


def test_worktrees_come_and_go_beside_a_user_who_works_in_the_repository(tmp_path: Path) -> None:
    seen = crowd(tmp_path, agents=24, at_once=8)
    assert ([], [], "", 24) == (seen.failures, seen.left_over, seen.broken, seen.merged)
    assert seen.neighbour.done["gc"]
