from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import pytest
from returns.result import Failure, Result, Success

from anabranch.environment import (
    MergeFault,
    MergeRequest,
    Worktree,
    WorktreeFault,
    WorktreeRequest,
)
from anabranch.testing.git import (
    GitFault,
    MemoryRepository,
    MemoryRun,
    NotModelled,
    memory_repository,
    planned,
)

T = TypeVar("T")
E = TypeVar("E")

RESULT = "anabranch/r1/result"
AGENT = WorktreeRequest(name="agent-0", parent="main", branch="anabranch/r1/agent-0")


def ask(call: Callable[[], Awaitable[Result[T, E]]]) -> Result[T, E]:
    return anyio.run(call)


def create(run: MemoryRun, request: WorktreeRequest = AGENT) -> Worktree:
    return ask(lambda: run.worktrees.create(request)).unwrap()


@pytest.fixture
def repository() -> MemoryRepository:
    return memory_repository({"a.txt": "one\n", "dir/b.txt": "two\n"})


@pytest.fixture
def run(repository: MemoryRepository) -> MemoryRun:
    started = repository.run("r1")
    ask(lambda: started.merges.start(RESULT)).unwrap()
    return started


def merge_request(repository: MemoryRepository, tree: Worktree) -> MergeRequest:
    source = repository.tree(tree).head
    return MergeRequest(target=RESULT, source=source, base=tree.base, message="m")


def test_a_command_works_in_its_own_tree_and_nowhere_else(
    repository: MemoryRepository, run: MemoryRun
) -> None:
    there = repository.tree(create(run))
    there.write("new", "1")
    assert (b"1", ("new",)) == (there.read("new"), there.dirty)
    assert {"a.txt", "dir/b.txt"} == set(repository.home.files)


def test_what_was_merged_reaches_the_user_by_the_delivery(
    repository: MemoryRepository, run: MemoryRun
) -> None:
    tree = create(run)
    repository.tree(tree).commit({"new": "1"})
    request = merge_request(repository, tree)
    ask(lambda: run.merges.merge(request)).unwrap()
    assert "new" not in repository.home.files
    assert ask(lambda: run.merges.deliver(RESULT)).unwrap().delivered
    assert b"1" == repository.home.files["new"] == repository.files("main")["new"]


def test_a_conflict_shows_both_sides(repository: MemoryRepository, run: MemoryRun) -> None:
    trees = [create(run, WorktreeRequest(name=f"agent-{i}", parent="main")) for i in range(2)]
    requests: list[MergeRequest] = []
    for tree, text in zip(trees, ("1\n", "2\n"), strict=True):
        repository.tree(tree).commit({"a.txt": text})
        requests.append(merge_request(repository, tree))
    ask(lambda: run.merges.merge(requests[0])).unwrap()
    (conflict,) = ask(lambda: run.merges.merge(requests[1])).failure().conflicts
    assert ("a.txt", b"1\n", b"2\n") == (conflict.path, conflict.ours, conflict.theirs)


def test_an_ignored_file_of_the_user_is_not_overwritten(
    repository: MemoryRepository, run: MemoryRun
) -> None:
    tree = create(run)
    repository.tree(tree).commit({"x.log": "theirs"})
    request = merge_request(repository, tree)
    ask(lambda: run.merges.merge(request)).unwrap()
    repository.home.write(".gitignore", "*.log\n")
    repository.home.write("x.log", "mine")
    delivery = ask(lambda: run.merges.deliver(RESULT)).unwrap()
    assert (False, RESULT) == (delivery.delivered, delivery.branch)
    assert b"mine" == repository.home.read("x.log")


def test_a_state_that_was_kept_can_be_gone_back_to(
    repository: MemoryRepository, run: MemoryRun
) -> None:
    before = repository.state
    repository.tree(create(run)).commit({"new": "1"})
    assert before != repository.state
    repository.restore(before)
    assert before == repository.state


def test_another_process_of_the_run_puts_away_what_a_dead_one_left(
    repository: MemoryRepository, run: MemoryRun
) -> None:
    repository.tree(create(run)).write("left", "over")
    assert isinstance(ask(lambda: run.worktrees.create(AGENT)), Failure)
    assert {"a.txt", "dir/b.txt"} == set(repository.tree(create(repository.run("r1"))).files)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (GitFault.NO_SPACE, WorktreeFault.NO_SPACE),
        (GitFault.LOCK_HELD, WorktreeFault.GIT),
        (GitFault.HALF_WAY, WorktreeFault.GIT),
    ],
)
def test_a_worktree_can_fail_to_be_made_and_be_made_at_the_second_try(
    repository: MemoryRepository, run: MemoryRun, fault: GitFault, told: WorktreeFault
) -> None:
    repository.store.faults = planned(("create", "agent-0", fault))
    assert told == ask(lambda: run.worktrees.create(AGENT)).failure().fault
    assert (fault is GitFault.HALF_WAY) == (AGENT.branch in repository.branches)
    assert isinstance(ask(lambda: run.worktrees.create(AGENT)), Success)


@pytest.mark.parametrize(
    ("fault", "told"),
    [(GitFault.MOVED, MergeFault.MOVED), (GitFault.NO_SPACE, MergeFault.GIT)],
)
def test_a_merge_that_fails_moves_nothing(
    repository: MemoryRepository, run: MemoryRun, fault: GitFault, told: MergeFault
) -> None:
    tree = create(run)
    repository.tree(tree).commit({"new": "1"})
    repository.store.faults = planned(("merge", RESULT, fault))
    before, request = repository.branches, merge_request(repository, tree)
    assert told == ask(lambda: run.merges.merge(request)).failure().fault
    assert before == repository.branches


def test_a_delivery_that_fails_leaves_the_user_with_what_they_had(
    repository: MemoryRepository, run: MemoryRun
) -> None:
    repository.store.faults = planned(("deliver", RESULT, GitFault.NO_SPACE))
    before = repository.state
    assert not ask(lambda: run.merges.deliver(RESULT)).unwrap().delivered
    assert before == repository.state


def test_attributes_are_not_modelled(repository: MemoryRepository) -> None:
    with pytest.raises(NotModelled, match="attributes"):
        repository.home.write("dir/.gitattributes", "* text\n")
