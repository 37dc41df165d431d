"""A run that a hook of git starts: what git tells its hooks is not for the run's worktrees."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from attrs import evolve

from anabranch.testing.repositories import git_repo

THREE = Path(__file__).parents[2] / "examples" / "three-agents.yml"
SOURCE = Path(__file__).parents[2] / "src"


@pytest.mark.parametrize("linked", [False, True])
def test_a_run_from_a_hook_commits_in_its_own_worktrees(tmp_path: Path, linked: bool) -> None:
    repo = git_repo(tmp_path / "shop")
    hook = repo.path / ".git" / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f'#!/bin/sh\n[ -z "$BUSY" ] || exit 0\nexport BUSY=1\nenv >{tmp_path}/told\n'
        f"exec {sys.executable} -m anabranch run {THREE} >{tmp_path}/said 2>&1\n"
    )
    hook.chmod(0o755)
    there = evolve(repo, environ={**repo.environ, "PYTHONPATH": str(SOURCE)})
    if linked:
        repo.git("worktree", "add", "--quiet", "-b", "side", tmp_path / "side")
        there = there.at(tmp_path / "side")
    there.git("add", "--all")
    there.git("commit", "--quiet", "--allow-empty", "--message", "begin")
    assert "GIT_INDEX_FILE=" in (tmp_path / "told").read_text()
    said = (tmp_path / "said").read_text()
    assert "3 merged" in said, said
    assert "result: on your branch" in said, said
    assert "" == there.git("status", "--porcelain")
    assert not os.path.lexists(repo.path.with_name("shop.anabranch"))
