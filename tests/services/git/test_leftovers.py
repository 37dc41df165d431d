"""A slot that is used again is what a new worktree would be, whatever was done to it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from anabranch.testing.repositories import ScratchRepository
from tests.services.git.bench import Bench
from tests.services.git.forest import order, picture, trees_of

Deed: TypeAlias = Callable[[ScratchRepository], None]

DEEDS: list[Deed] = []


def deed(function: Deed) -> Deed:
    DEEDS.append(function)
    return function


def private(there: ScratchRepository, name: str) -> Path:
    """One of git's own files for the worktree."""
    return Path(there.git("rev-parse", "--path-format=absolute", "--git-path", name))


@deed
def edited(there: ScratchRepository) -> None:
    there.write({"a.txt": "other"})


@deed
def edited_with_the_same_size_and_times(there: ScratchRepository) -> None:
    path = there.path / "a.txt"
    before = path.stat()
    path.write_text("ONE\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@deed
def deleted(there: ScratchRepository) -> None:
    (there.path / "a.txt").unlink()


@deed
def directory_deleted(there: ScratchRepository) -> None:
    shutil.rmtree(there.path / "deep")


@deed
def file_replaced_by_a_directory(there: ScratchRepository) -> None:
    (there.path / "a.txt").unlink()
    there.write({"a.txt/inside": ""})


@deed
def directory_replaced_by_a_link(there: ScratchRepository) -> None:
    shutil.rmtree(there.path / "deep")
    (there.path / "deep").symlink_to("/")


@deed
def link_changed(there: ScratchRepository) -> None:
    (there.path / "link").unlink()
    (there.path / "link").symlink_to("run.sh")


@deed
def mode_of_a_file(there: ScratchRepository) -> None:
    (there.path / "a.txt").chmod(0o777)


@deed
def mode_of_a_directory(there: ScratchRepository) -> None:
    (there.path / "deep").chmod(0o500)


@deed
def unreadable_directory(there: ScratchRepository) -> None:
    (there.path / "deep").chmod(0)


@deed
def untracked_and_ignored(there: ScratchRepository) -> None:
    there.write({"new": "", "x.log": "", "build/out/o": "", "dir/new": ""})
    (there.path / "empty" / "inner").mkdir(parents=True)


@deed
def read_only_directory(there: ScratchRepository) -> None:
    there.write({"locked/file": ""})
    (there.path / "locked").chmod(0o555)


@deed
def repository_inside(there: ScratchRepository) -> None:
    there.git("init", "inner")


@deed
def worktree_inside(there: ScratchRepository) -> None:
    there.git("worktree", "add", "--quiet", "-b", "inner", "some/inner")


@deed
def fifo_and_hard_link(there: ScratchRepository) -> None:
    os.mkfifo(there.path / "pipe")
    (there.path / "hard").hardlink_to(there.path / "a.txt")


@deed
def git_link_broken(there: ScratchRepository) -> None:
    there.write({".git": "gitdir: /nowhere\n"})


@deed
def git_link_gone(there: ScratchRepository) -> None:
    (there.path / ".git").unlink()


@deed
def index_gone(there: ScratchRepository) -> None:
    private(there, "index").unlink()


@deed
def stale_locks(there: ScratchRepository) -> None:
    for name in ("index.lock", "HEAD.lock", "refs/heads/anabranch/r1/agent-0.lock"):
        private(there, name).touch()


@deed
def meddled_with_git_s_own_files(there: ScratchRepository) -> None:
    admin = Path(there.git("rev-parse", "--absolute-git-dir"))
    (admin / "logs" / "HEAD").write_text("nonsense\n")
    (admin / "HEAD.new").unlink(missing_ok=True)
    (admin / "HEAD.new").symlink_to(there.path / "a.txt")
    (admin / "index.new").unlink(missing_ok=True)
    (admin / "index.new").hardlink_to(admin / "gitdir")
    (admin / "own").write_text("")
    (admin / "commondir").unlink()


@deed
def hidden_from_status(there: ScratchRepository) -> None:
    there.git("update-index", "--assume-unchanged", "a.txt")
    there.git("update-index", "--skip-worktree", "run.sh")
    there.write({"a.txt": "hidden", "run.sh": "hidden"})


@deed
def staged(there: ScratchRepository) -> None:
    there.write({"new": "new", "a.txt": None})
    there.git("add", "--all")


@deed
def on_another_branch(there: ScratchRepository) -> None:
    there.git("checkout", "--quiet", "-b", "elsewhere")


@deed
def detached(there: ScratchRepository) -> None:
    there.git("checkout", "--quiet", "--detach")


@deed
def merge_under_way(there: ScratchRepository) -> None:
    there.git("checkout", "--quiet", "--detach")
    first = there.commit({"a.txt": "first"})
    there.git("checkout", "--quiet", "HEAD~1")
    there.commit({"a.txt": "second"})
    with pytest.raises(AssertionError):
        there.git("merge", first)


@deed
def bisect(there: ScratchRepository) -> None:
    there.git("bisect", "start", "HEAD", "HEAD~1")


@deed
def sparse(there: ScratchRepository) -> None:
    there.git("config", "extensions.worktreeConfig", "true")
    there.git("sparse-checkout", "set", "--no-cone", "deep")


@deed
def everything_gone(there: ScratchRepository) -> None:
    for path in there.path.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


@pytest.mark.parametrize("kind", ["slots", "slots overlay"])
@pytest.mark.parametrize("leave", DEEDS, ids=lambda deed: deed.__name__)
def test_nothing_that_one_agent_leaves_reaches_the_next(
    rich: Bench, leave: Deed, kind: str
) -> None:
    with trees_of(kind, rich) as trees:
        for number in (1, 2):
            trees.make(order(rich, number))
        first = trees.make(order(rich, branch="anabranch/r1/agent-0"))
        expected = picture(first.path)
        leave(rich.repo.at(first.path))
        trees.take_away(first)
        second = trees.make(order(rich, branch="anabranch/r1/agent-0"))
        there = rich.repo.at(second.path)
        assert (first.path, expected) == (second.path, picture(second.path))
        assert "## anabranch/r1/agent-0" == there.git("status", "--porcelain", "--branch")
        assert "" == there.git("ls-files", "-v", "--", ":(glob)**/[hsS]*")
        assert "prunable" not in there.git("worktree", "list", "--porcelain")
        there.commit({"a.txt": "new"})
    assert "" == rich.repo.git("fsck", "--no-dangling")


def test_a_lock_that_a_killed_command_left_does_not_hinder_the_next_tree(bench: Bench) -> None:
    with trees_of("plain", bench) as trees:
        first = trees.make(order(bench, branch="anabranch/r1/agent-0"))
        stale_locks(bench.repo.at(first.path))
        trees.take_away(first)
        assert trees.make(order(bench, branch="anabranch/r1/agent-0")).path
