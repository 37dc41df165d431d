"""Every way of making working trees makes the same ones."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from anabranch.services.git.faults import Refused
from anabranch.services.git.pristine import Differences, Record
from anabranch.services.git.trees import Tree, Trees
from tests.services.git.bench import Bench
from tests.services.git.forest import KINDS, order, picture, trees_of


@pytest.fixture(params=KINDS)
def trees(request: pytest.FixtureRequest, bench: Bench) -> Iterator[Trees]:
    with trees_of(request.param, bench) as trees:
        yield trees


@pytest.mark.parametrize("kind", KINDS)
def test_a_tree_is_what_a_plain_checkout_is(rich: Bench, kind: str, tmp_path: Path) -> None:
    rich.repo.git("worktree", "add", "--quiet", "--detach", tmp_path / "plain")
    expected = picture(str(tmp_path / "plain"))
    with trees_of(kind, rich) as trees:
        made = [trees.make(order(rich, number)).path for number in range(3)]
        assert [expected] * 3 == [picture(path) for path in made]
        assert [""] * 3 == [rich.repo.at(path).git("status", "--porcelain") for path in made]
        assert set(made) <= {
            line.split(" ")[0] for line in rich.repo.git("worktree", "list").splitlines()
        }


def test_a_tree_is_on_its_branch(bench: Bench, trees: Trees) -> None:
    for _ in range(3):
        tree = trees.make(order(bench, branch="anabranch/r1/agent-0"))
        there = bench.repo.at(tree.path)
        assert "anabranch/r1/agent-0" == there.git("branch", "--show-current")
        there.commit({"new": "new"})
        trees.take_away(tree)
        assert {"a.txt", "dir/b.txt", "new"} == set(bench.repo.files("anabranch/r1/agent-0"))


def test_a_file_that_changed_in_the_second_it_was_made_in_is_what_it_was_for_the_next(
    bench: Bench, trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git counts in seconds: what it wrote and what came in its place look alike to it."""
    found_at_once = Record.differences

    def found_a_second_later(record: Record, top: str) -> Differences:
        found = found_at_once(record, top)
        index = bench.repo.at(Path(top)).git("rev-parse", "--git-path", "index")
        later = time.time() + 60
        os.utime(index, (later, later))
        return found

    monkeypatch.setattr(Record, "differences", found_a_second_later)
    for number in range(4):
        tree = trees.make(order(bench, branch="anabranch/r1/agent-0"))
        file = Path(tree.path, "a.txt")
        before = file.read_bytes()
        assert (bench.repo.path / "a.txt").read_bytes() == before, number
        file.write_bytes(bytes(byte ^ 1 for byte in before))
        trees.take_away(tree)


def test_a_tree_without_a_branch_is_detached(bench: Bench, trees: Trees) -> None:
    trees.take_away(trees.make(order(bench, branch="anabranch/r1/agent-0")))
    there = bench.repo.at(trees.make(order(bench, 1)).path)
    assert ("", bench.repo.head) == (there.git("branch", "--show-current"), there.head)


def test_a_branch_can_be_deleted_once_its_tree_is_gone(bench: Bench, trees: Trees) -> None:
    tree = trees.make(order(bench, branch="anabranch/r1/agent-0"))
    trees.take_away(tree)
    bench.repo.git("branch", "--delete", "anabranch/r1/agent-0")


def test_a_branch_in_use_is_not_given_to_another_tree(bench: Bench, trees: Trees) -> None:
    trees.make(order(bench, 0, "anabranch/r1/agent-0"))
    with pytest.raises(Refused):
        trees.make(order(bench, 1, "anabranch/r1/agent-0"))


def test_a_branch_of_the_user_is_never_moved(bench: Bench, trees: Trees) -> None:
    bench.repo.git("branch", "theirs")
    with pytest.raises(Refused):
        trees.make(order(bench, 0, "theirs"))


def test_trees_at_other_commits_hold_those_commits(bench: Bench, trees: Trees) -> None:
    for content in ("1", "22", "333"):
        bench.repo.commit({"a.txt": content, f"only-{content}": ""})
        tree = trees.make(order(bench))
        assert bench.repo.files() == {
            path: content for path, (_, content) in picture(tree.path).items() if path != "dir"
        }
        assert "" == bench.repo.at(tree.path).git("status", "--porcelain")
        trees.take_away(tree)


def test_the_hook_for_checkouts_runs_for_each_tree(bench: Bench, trees: Trees) -> None:
    hook = bench.repo.path / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\necho "$1 $2 $3" > hooked\n')
    hook.chmod(0o755)
    for number in range(3):
        tree = trees.make(order(bench, number))
        expected = f"{'0' * 40} {bench.repo.head} 1\n"
        assert expected == Path(tree.path, "hooked").read_text()
        trees.take_away(tree)


def test_a_hook_that_fails_refuses_the_tree_and_leaves_nothing(bench: Bench, trees: Trees) -> None:
    hook = bench.repo.path / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(Refused, match="hook failed: no"):
        trees.make(order(bench))
    assert 1 == len(bench.repo.git("worktree", "list").splitlines())


@pytest.mark.parametrize("kind", ["slots", "slots overlay"])
def test_what_was_touched_in_a_tree_is_known_without_git(rich: Bench, kind: str) -> None:
    with trees_of(kind, rich) as trees:
        made = [trees.make(order(rich, number)) for number in range(3)][-1]
        assert frozenset() == trees.touched(made)
        there = rich.repo.at(made.path)
        there.write({"a.txt": "other", "new/er": "", "run.sh": None, "dir/b.txt": "two\n"})
        assert frozenset({"a.txt", "new/er", "run.sh", "dir/b.txt"}) == trees.touched(made)


@pytest.mark.parametrize("deed", ["mv dir moved", "rm -r dir && echo >dir", "rm -r dir; mkdir dir"])
def test_what_a_tree_over_another_hides_is_not_guessed(rich: Bench, deed: str) -> None:
    with trees_of("slots overlay", rich) as trees:
        made = laid(rich, trees)
        subprocess.run(deed, shell=True, cwd=made.path, check=True)
        assert None is trees.touched(made)


def laid(rich: Bench, trees: Trees) -> Tree:
    """A tree over another."""
    return [trees.make(order(rich, number)) for number in range(3)][-1]


@contextmanager
def kept_open(path: str) -> Generator[int]:
    """The device of a mount, which no other one has as long as somebody uses it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield os.fstat(descriptor).st_dev
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("deed", "same"),
    [
        ("true", True),
        ("echo >new; echo >dir/new; mkdir -p fresh/er; echo >fresh/er/x; ln -s / link-to", True),
        ("echo >dir/new; rm dir/new", True),
        ("mkfifo pipe", False),
        ("echo >>a.txt", False),
        ("touch dir/b.txt", False),
        ("rm a.txt", False),
        ("mv dir moved", False),
        ("chmod 700 deep", False),
        ("rm -r dir; mkdir dir; echo two >dir/b.txt", False),
        ("ln a.txt hard", False),
    ],
)
def test_what_was_only_added_to_a_tree_over_another_goes_without_a_new_mount(
    rich: Bench, deed: str, *, same: bool
) -> None:
    with trees_of("slots overlay", rich) as trees:
        made = laid(rich, trees)
        before = picture(made.path)
        with kept_open(made.path) as device:
            for _ in range(3):
                subprocess.run(deed, shell=True, cwd=made.path, check=True)
                trees.take_away(made)
                made = trees.make(order(rich, 2))
                assert before == picture(made.path)
            assert same == (device == Path(made.path).stat().st_dev)


def test_git_takes_a_tree_over_another_for_unchanged_without_reading_it(rich: Bench) -> None:
    with trees_of("slots overlay", rich) as trees:
        made = laid(rich, trees)
        assert "" == rich.repo.at(made.path).git("diff-files")


def test_a_tree_over_another_is_itself_again_though_a_process_still_sits_in_it(
    rich: Bench,
) -> None:
    with trees_of("slots overlay", rich) as trees:
        made = [trees.make(order(rich, number)) for number in range(3)][-1]
        with subprocess.Popen(["cat"], cwd=made.path, stdin=subprocess.PIPE) as sitting:
            rich.repo.at(made.path).write({"a.txt": "other"})
            trees.take_away(made)
            again = trees.make(order(rich, 3))
            assert made.path == again.path
            assert b"one\n" == Path(again.path, "a.txt").read_bytes()
            sitting.communicate()
