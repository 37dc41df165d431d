from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from anabranch.services.git import GitRepository
from anabranch.testing.repositories import ScratchRepository, git_repo
from anabranch.values import Problem
from tests.services.git.bench import failure


def problems(path: Path, environ: Mapping[str, str]) -> tuple[Problem, ...]:
    return failure(GitRepository.open(str(path), environ=environ)).problems


def refusal(path: Path, environ: Mapping[str, str]) -> str:
    return problems(path, environ)[0].code


def test_a_directory_that_is_no_repository_is_refused(
    tmp_path: Path, repo: ScratchRepository
) -> None:
    assert "not-a-repository" == refusal(tmp_path, repo.environ)


def test_a_directory_that_does_not_exist_is_refused(
    tmp_path: Path, repo: ScratchRepository
) -> None:
    assert "not-a-repository" == refusal(tmp_path / "gone", repo.environ)


def test_a_machine_without_git_is_refused(tmp_path: Path, repo: ScratchRepository) -> None:
    assert "git-missing" == refusal(repo.path, {"PATH": str(tmp_path)})


def test_a_git_that_is_too_old_is_refused(tmp_path: Path, repo: ScratchRepository) -> None:
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho git version 2.37.9\n")
    old.chmod(0o755)
    assert "git-too-old" == refusal(repo.path, {"PATH": f"{old.parent}:/usr/bin:/bin"})


def test_a_repository_without_a_commit_is_refused(tmp_path: Path, repo: ScratchRepository) -> None:
    repo.git("init", tmp_path / "empty")
    assert "no-commits" == refusal(tmp_path / "empty", repo.environ)


@pytest.mark.parametrize("setting", ["safe.directory", "safe.bareRepository"])
def test_a_repository_that_git_does_not_trust_is_refused_with_the_setting(
    tmp_path: Path, repo: ScratchRepository, setting: str
) -> None:
    bare = repo.bare(tmp_path / "bare.git")
    (tmp_path / "gitconfig").write_text("[safe]\n\tbareRepository = explicit\n")
    distrust = {
        "safe.directory": {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"},
        "safe.bareRepository": {"GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig")},
    }
    environ = {**repo.environ, **distrust[setting]}
    (problem,) = failure(GitRepository.open(str(bare.path), environ=environ)).problems
    assert "unsafe-repository" == problem.code
    assert setting in (problem.hint or "")
    assert not problem.message.startswith("fatal")


def test_what_else_keeps_git_from_a_repository_is_told(repo: ScratchRepository) -> None:
    with (repo.path / ".git" / "config").open("a") as config:
        config.write("[x\n")
    (problem,) = problems(repo.path, repo.environ)
    assert ("git-refuses", True) == (problem.code, "bad config line" in problem.message)


def test_a_working_tree_elsewhere_is_refused_until_it_says_where_its_repository_is(
    tmp_path: Path, repo: ScratchRepository
) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    repo.git("config", "core.worktree", elsewhere)
    (problem,) = problems(repo.path, repo.environ)
    assert ("no-git-link", str(elsewhere)) == (problem.code, problem.value)
    assert problem.hint is not None
    subprocess.run(problem.hint, shell=True, check=True)
    assert str(elsewhere) == GitRepository.open(str(elsewhere), environ=repo.environ).unwrap().home


def test_a_repository_opens_from_a_directory_inside_it(repo: ScratchRepository) -> None:
    opened = GitRepository.open(str(repo.path / "dir"), environ=repo.environ).unwrap()
    assert (str(repo.path), str(repo.path / ".git")) == (opened.home, opened.common)


def test_the_callers_git_variables_do_not_lead_elsewhere(
    tmp_path: Path, repo: ScratchRepository
) -> None:
    other = git_repo(tmp_path / "other")
    environ = {**repo.environ, "GIT_DIR": str(other.path / ".git"), "GIT_INDEX_FILE": "/nowhere"}
    opened = GitRepository.open(str(repo.path), environ=environ).unwrap()
    assert str(repo.path / ".git") == opened.common


def test_worktrees_are_kept_beside_the_repository(repo: ScratchRepository) -> None:
    opened = GitRepository.open(str(repo.path), environ=repo.environ).unwrap()
    assert f"{repo.path}.anabranch" == opened.place


def test_worktrees_are_kept_where_a_link_beside_the_repository_leads(
    repo: ScratchRepository, tmp_path: Path
) -> None:
    (tmp_path / "large").mkdir()
    repo.path.with_name("shop.anabranch").symlink_to("large")
    opened = GitRepository.open(str(repo.path), environ=repo.environ).unwrap()
    assert str(tmp_path / "large") == opened.place


def test_worktrees_are_kept_inside_git_where_a_file_has_their_name(repo: ScratchRepository) -> None:
    repo.path.with_name("shop.anabranch").write_text("mine")
    opened = GitRepository.open(str(repo.path), environ=repo.environ).unwrap()
    assert str(repo.path / ".git" / "anabranch" / "worktrees") == opened.place


def test_worktrees_are_kept_inside_git_where_an_outer_repository_would_see_them(
    repo: ScratchRepository,
) -> None:
    inner = git_repo(repo.path / "inner")
    opened = GitRepository.open(str(inner.path), environ=inner.environ).unwrap()
    assert str(inner.path / ".git" / "anabranch" / "worktrees") == opened.place


@pytest.mark.parametrize("role", ["AUTHOR", "COMMITTER"])
def test_who_has_no_identity_commits_under_a_fallback(repo: ScratchRepository, role: str) -> None:
    environ = {k: v for k, v in repo.environ.items() if role not in k}
    repo.git("config", "user.useConfigOnly", "true")
    opened = GitRepository.open(str(repo.path), environ=environ).unwrap()
    assert {
        f"GIT_{role}_NAME": "anabranch",
        f"GIT_{role}_EMAIL": "anabranch@localhost",
    } == opened.identity


def test_who_has_an_identity_keeps_it(repo: ScratchRepository) -> None:
    opened = GitRepository.open(str(repo.path), environ=repo.environ).unwrap()
    assert {} == opened.identity
