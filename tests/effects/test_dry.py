from __future__ import annotations

from itertools import count
from typing import Never

from returns.result import Failure, Result, Success

from anabranch import (
    CircuitBreaker,
    Do,
    Effect,
    MapEnv,
    Scope,
    bracket,
    circuit_breaker,
    create_worktree,
    do,
    dry_run,
    execute_commands,
    fail,
    from_async,
    from_function,
    merge_to_parent,
    par_all,
    par_all_limit,
    race,
    remove_worktree,
    repeat,
    scoped,
    sleep,
    succeed,
    timeout,
)
from anabranch.environment import HasWorktrees, Merge, Worktree, WorktreeError
from anabranch.interpreters.dry import LONGEST, MOST


def forbidden(_: object) -> Result[int, Never]:
    raise AssertionError("a dry run called it")


async def awaited(_: object) -> Result[int, Never]:
    raise AssertionError("a dry run awaited it")


def test_a_dry_run_calls_no_leaf_and_tells_each() -> None:
    told = dry_run(from_function(forbidden, label="look").and_then(lambda _: sleep(3)))
    assert ("look", "… and what follows from its answer") == told.lines
    assert told.result is None


def test_with_previews_it_walks_to_the_end() -> None:
    effect = from_async(awaited, label="ask", preview=Success(20)).map(lambda n: n + 1)
    told = dry_run(effect.and_then(lambda n: sleep(n).as_(n)).context("work"))
    assert ("work:", "  ask", "  wait 21s") == told.lines
    assert Success(21) == told.result


def test_it_walks_worktrees_commands_and_merges() -> None:
    @do
    def used(tree: Worktree) -> Do[Merge, object, MapEnv]:
        yield from execute_commands(tree, ["make"])
        return (yield from merge_to_parent(tree))

    def agent(name: str) -> Effect[Merge, object, MapEnv]:
        created: Effect[Worktree, object, MapEnv] = create_worktree(name, parent="main")
        return bracket(created, release=lambda tree: remove_worktree(tree).settled(), use=used)

    told = str(dry_run(par_all_limit(map(agent, "ab"), 2)))
    assert told.startswith("at most 2 at a time:\n  create worktree a\n  run sh -c make")
    assert told.count("remove worktree") == 2
    assert told.count("merge 0") == 2


def test_failures_are_foreseen_and_recovered_from() -> None:
    @do
    def program() -> Do[str, str, object]:
        found = yield from fail("nothing").or_else(lambda error: succeed(error.upper()))
        yield from timeout(fail("late"), 5).map_error(str)
        return found

    told = dry_run(program())
    assert Failure("late") == told.result
    assert ("within 5s:",) == told.lines


def test_what_does_not_depend_on_an_unknown_answer_is_walked_all_the_same() -> None:
    unknown = from_function(forbidden, label="ask")
    told = dry_run(par_all_limit([unknown, sleep(1).as_(2)], 2))
    assert ("at most 2 at a time:", "  ask", "  wait 1s") == told.lines


def test_it_walks_scopes_and_what_breakers_protect() -> None:
    def use(scope: Scope[Never, object]) -> Effect[int, Never, object]:
        held = scope.acquire(sleep(1), lambda _: sleep(3))
        return held.and_then(lambda _: sleep(2)).as_(1)

    told = dry_run(scoped(use))
    assert (("wait 1s", "wait 2s", "wait 3s"), Success(1)) == (told.lines, told.result)
    guarded = circuit_breaker(CircuitBreaker()).and_then(lambda it: it.protect(sleep(4)))
    assert ("wait 4s",) == dry_run(guarded).lines


def test_jobs_that_are_left_out_are_told_and_the_end_is_not_known() -> None:
    trees = [create_worktree(f"t{n}", parent="main") for n in range(MOST + 1)]
    told = dry_run(par_all(trees[:-1]))
    assert f"  create worktree t{MOST - 1}" == told.lines[-1]
    assert MOST == len(told.result.unwrap() if told.result else [])
    told = dry_run(par_all(trees))
    assert f"  … and more than these {MOST}" == told.lines[-1]
    assert told.result is None


def test_a_race_that_is_over_leaves_nothing_out() -> None:
    told = dry_run(race(succeed(n) for n in count()))
    assert (("all at once:",), Success(0)) == (told.lines, told.result)


def test_what_is_repeated_until_the_world_says_something_comes_to_an_end() -> None:
    tree = create_worktree("tree", parent="main")

    @do
    def watched() -> Do[object, WorktreeError, HasWorktrees]:
        try:
            return (yield from repeat(tree, until=lambda _: False, delay="1s"))
        finally:
            yield from tree

    told = dry_run(par_all([watched()]))
    assert (LONGEST + 1, "… and so on") == (len(told.lines), told.lines[-1])
    assert ("  create worktree tree", "  wait 1s") == told.lines[1:3]
    assert told.result is None


def known(label: str, value: int) -> Effect[int, Never, object]:
    return from_function(forbidden, label=label, preview=Success(value))


def test_what_comes_after_something_stands_where_that_stood() -> None:
    inside = par_all([known("a", 1), known("b", 2).span("inner")]).span("outer")
    told = dry_run(inside.and_then(lambda _: known("c", 3)).and_then(lambda _: par_all([sleep(1)])))
    assert (
        "outer:",
        "  all at once:",
        "    a",
        "    inner:",
        "      b",
        "c",
        "all at once:",
        "  wait 1s",
    ) == told.lines


def test_of_a_race_only_the_one_that_would_win_is_told() -> None:
    told = dry_run(race([known("a", 1), known("b", 2)]))
    assert (("all at once:", "  a"), Success(1)) == (told.lines, told.result)


def test_nothing_is_made_of_an_answer_that_is_not_known() -> None:
    unknown = from_function(forbidden, label="ask")

    def forbidden_too(_: object) -> Never:
        raise AssertionError("a dry run called it")

    @do
    def program() -> Do[int, Never, object]:
        answer = yield from unknown
        forbidden_too(answer)
        return answer

    for effects in ([unknown, known("a", 1)], [known("a", 1), unknown]):
        assert dry_run(par_all(effects)).result is None
    assert dry_run(unknown.map(forbidden_too)).result is None
    told = dry_run(program())
    assert (("ask", "… and what follows from its answer"), None) == (told.lines, told.result)
