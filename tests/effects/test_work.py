"""What the effects of worktrees, commands and merges ask of the environment."""

from __future__ import annotations

from datetime import timedelta

from anabranch import create_worktree, execute_commands, merge_to_parent, run
from anabranch.environment import Invocation, MergeRequest, Oid, WorktreeRequest
from anabranch.testing import mock_env


def test_a_worktree_is_made_as_it_is_asked_for() -> None:
    env = mock_env()
    run(
        create_worktree("one", parent="main", branch="work", base=Oid("c0"), carry="/from"), env
    ).unwrap()
    assert [
        WorktreeRequest(name="one", parent="main", branch="work", base=Oid("c0"), carry="/from")
    ] == env.asked("create")


def test_each_command_has_the_environment_and_the_time_that_all_are_given() -> None:
    env = mock_env()
    tree = run(create_worktree("one", parent="main"), env).unwrap()
    limit = timedelta(minutes=1)
    commands = execute_commands(tree, ["make", "make test"], env={"A": "1"}, timeout=limit)
    run(commands, env).unwrap()
    assert [
        Invocation(
            argv=("sh", "-c", text), cwd=tree.path, env={"A": "1"}, timeout=limit, label="one"
        )
        for text in ("make", "make test")
    ] == env.asked("run")


def test_a_merge_says_what_it_is_told_to_say() -> None:
    env = mock_env()
    tree = run(create_worktree("one", parent="main"), env).unwrap()
    run(merge_to_parent(tree, message="one thing", trailers=[("Why", "because")]), env).unwrap()
    (asked,) = (each for each in env.asked("merge") if isinstance(each, MergeRequest))
    assert ("main", "one thing", (("Why", "because"),)) == (
        asked.target,
        asked.message,
        asked.trailers,
    )
