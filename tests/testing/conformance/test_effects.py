from __future__ import annotations

from typing import Any

import pytest
from returns.result import Result, Success

from anabranch import (
    Do,
    Effect,
    MapEnv,
    bracket,
    create_worktree,
    do,
    execute_commands,
    from_function,
    par_all,
    race,
    remove_worktree,
    sleep,
    timeout,
)
from anabranch.environment import Worktree
from anabranch.testing import MockEnvironment, mock_env, printed
from anabranch.testing.conformance import check_effect_laws


def worked(name: str) -> Effect[Any, Any, Any]:
    def use(tree: Worktree) -> Effect[Any, Any, Any]:
        return execute_commands(tree, ["slow", "slow"])

    made: Effect[Worktree, Any, Any] = create_worktree(name, parent="main")
    return bracket(made, release=lambda tree: remove_worktree(tree).settled(), use=use)


def slow_env() -> MockEnvironment:
    return mock_env(commands={"*": printed(takes=10)})


def alive(env: MockEnvironment) -> list[str]:
    return list(env.worktrees.alive)


def test_what_the_library_makes_obeys_the_laws() -> None:
    work = timeout(par_all([worked("one"), worked("two")]), "1m")
    check_effect_laws(work, slow_env, left=alive)


def test_what_is_left_behind_by_a_cancellation_is_found_out() -> None:
    @do
    def leaks() -> Do[None, Any, MapEnv]:
        tree = yield from create_worktree("one", parent="main")
        yield from execute_commands(tree, ["slow"])
        yield from remove_worktree(tree)

    with pytest.raises(AssertionError, match=r"cancelled after 0.* leaves something .*\['one'\]"):
        check_effect_laws(leaks(), slow_env, left=alive)


def test_an_effect_that_remembers_its_last_run_is_found_out() -> None:
    runs: list[int] = []

    def count(_: object) -> Result[int, Any]:
        runs.append(1)
        return Success(len(runs))

    with pytest.raises(AssertionError, match=r"run again: came .*2.* expected .*1"):
        check_effect_laws(from_function(count))


def test_an_effect_that_depends_on_the_schedule_is_found_out() -> None:
    def first(name: str) -> Effect[str, Any, Any]:
        return sleep(1).as_(name)

    with pytest.raises(AssertionError, match="under the schedule of seed"):
        check_effect_laws(race([first("a"), first("b")]))
    check_effect_laws(race([first("a"), first("b")]), deterministic=False)
