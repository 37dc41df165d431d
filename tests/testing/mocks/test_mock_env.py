from __future__ import annotations

from datetime import timedelta

import pytest
from returns.result import Failure, Success

from anabranch import (
    Do,
    create_worktree,
    deliver,
    do,
    execute_commands,
    merge_to_parent,
    par_all,
    run,
    timeout,
)
from anabranch.effects.agents import ask_agent
from anabranch.effects.work import execute, read_file, record
from anabranch.environment import (
    CommandError,
    CommandFault,
    FileError,
    Invocation,
    JournalError,
    JournalFault,
    Oid,
    PhaseEnv,
    Worktree,
    WorktreeError,
    WorktreeFault,
    WorktreeRequest,
)
from anabranch.lifecycle import PhaseStarted
from anabranch.planning import AGENTS
from anabranch.testing import (
    MockEnvironment,
    NotUsedUp,
    Unexpected,
    after,
    conflict,
    fits,
    in_order,
    like,
    mock_env,
    printed,
    run_virtual,
    said,
)

TREE = Worktree(name="one", path="/mock/one", parent="main", base=Oid("0" * 40))


def outputs(env: MockEnvironment, *commands: str) -> list[str]:
    ran = run(execute_commands(TREE, commands), env).unwrap()
    return [output.stdout.text for output in ran]


def test_the_first_pattern_that_fits_answers() -> None:
    env = mock_env(commands={"make lint": printed("lint"), "make *": printed("any")})
    assert ["lint", "any", "any"] == outputs(env, "make lint", "make test", "make lint all")


def test_an_answer_may_be_made_of_the_request() -> None:
    env = mock_env(commands={"*": lambda invocation: printed(invocation.cwd)})
    assert ["/mock/one"] == outputs(env, "pwd")


def test_a_whole_script_may_be_a_function() -> None:
    assert ["pwd"] == outputs(mock_env(commands=lambda i: printed(i.argv[-1])), "pwd")


def test_answers_in_order_under_a_pattern_leave_others_alone() -> None:
    env = mock_env(commands={"a": in_order([printed("1"), printed("2")]), "*": printed("x")})
    assert ["1", "x", "2"] == outputs(env, "a", "b", "a")


def test_two_environments_read_one_script_from_its_beginning() -> None:
    script = in_order([printed("1"), printed("2")])
    for _ in range(2):
        assert ["1", "2"] == outputs(mock_env(commands=script), "a", "b")


def test_an_unexpected_command_says_what_came_and_what_was_expected_next() -> None:
    env = mock_env(commands=in_order([("make *", printed()), ("git push", printed())]))
    with pytest.raises(Unexpected) as caught:
        outputs(env, "make all", "git pull")
    assert str(caught.value) == (
        "unexpected command\n"
        "  came:\n    git pull\n"
        "  next expected:\n    git push\n"
        "  before it came:\n    make all"
    )


def test_more_than_the_script_has_is_unexpected() -> None:
    with pytest.raises(Unexpected, match=r"\(nothing more\)"):
        outputs(mock_env(commands=in_order([printed()])), "a", "b")


def test_a_script_is_compared_with_a_request_in_part() -> None:
    step = (like(Invocation, cwd=fits("*/one"), timeout=None), printed("here"))
    assert ["here"] == outputs(mock_env(commands=in_order([step])), "a")


def test_a_script_that_is_not_used_up_fails_the_test() -> None:
    env = mock_env(
        commands=in_order([printed(), ("git push", printed())]),
        files={"a.json": in_order(["1", "2"])},
    )
    outputs(env, "a")
    with pytest.raises(NotUsedUp) as caught:
        env.check()
    assert str(caught.value) == (
        "never asked for, but expected:\n  command: git push\n  file: a.json\n  file: a.json"
    )


def test_a_context_checks_its_scripts_but_does_not_hide_what_was_raised() -> None:
    with pytest.raises(NotUsedUp), mock_env(commands=in_order([printed()])):
        pass
    with pytest.raises(ValueError, match="mine"), mock_env(commands=in_order([printed()])):
        raise ValueError("mine")


def test_what_was_asked_is_data_in_order() -> None:
    env = mock_env()
    tree = run(create_worktree("one", parent="main"), env).unwrap()
    run(merge_to_parent(tree), env)
    run(deliver("main"), env)
    assert env.calls == [
        ("create", WorktreeRequest(name="one", parent="main")),
        ("head", "one"),
        ("merge", like(target="main", message="Merge one")),
        ("deliver", "main"),
    ]


def test_commands_take_virtual_time_beside_each_other() -> None:
    env = mock_env(commands={"slow": printed(takes=3600), "*": after("1h 30m", printed())})
    work = par_all([execute_commands(TREE, [name]) for name in ("slow", "slower")])
    assert 5400 == run_virtual(work, env).elapsed
    assert timedelta(minutes=90) == env.clock.elapsed


def test_a_live_run_does_not_wait() -> None:
    env = mock_env(commands={"*": printed(takes=3600)})
    outputs(env, "slow", "slow")
    assert timedelta(hours=2) == env.clock.elapsed


def test_a_timeout_cuts_a_slow_command_short() -> None:
    env = mock_env(commands={"*": printed(takes=60)})
    invocation = Invocation(argv=("x",), cwd="/", timeout=timedelta(seconds=2))
    done = run_virtual(execute(invocation), env)
    assert (2.0, CommandFault.TIMED_OUT) == (done.elapsed, done.result.failure().fault)
    cut = run_virtual(timeout(execute_commands(TREE, ["slow"]), "5s"), env)
    assert (5.0, True) == (cut.elapsed, isinstance(cut.result, Failure))


def test_events_are_stamped_with_virtual_time() -> None:
    env = mock_env(commands={"*": printed(takes=7)})

    @do
    def work() -> Do[None, CommandError | JournalError, PhaseEnv]:
        yield from execute_commands(TREE, ["slow"])
        yield from record(PhaseStarted(phase="x"))

    run_virtual(work(), env)
    assert timedelta(seconds=7) == env.journal.events[0].time - env.clock.start


def test_a_worktree_can_be_refused_by_its_name() -> None:
    full = WorktreeError(fault=WorktreeFault.NO_SPACE, name="two", message="full")
    env = mock_env(worktrees={"two": in_order([full, None])})
    answers = [run(create_worktree(n, parent="main"), env) for n in ("one", "two", "two")]
    assert [True, False, True] == [isinstance(answer, Success) for answer in answers]


def test_a_merge_can_be_in_conflict_by_its_agent_or_target() -> None:
    env = mock_env(merges={"main": after(3, conflict("a.txt"))})
    tree = run(create_worktree("one", parent="main"), env).unwrap()
    done = run_virtual(merge_to_parent(tree), env)
    assert (3.0, "conflict in a.txt") == (done.elapsed, done.result.failure().message)


def test_files_are_found_by_the_end_of_their_path_and_can_fail() -> None:
    broken = FileError(path="b", message="it is a directory")
    env = mock_env(files={"a[1].json": "[]", "b": broken})
    found = [run(read_file(path), env) for path in ("/x/a[1].json", "/x/b", "/x/c")]
    assert [Success(b"[]"), Failure(broken)] == found[:2]
    assert "no such file" == found[2].failure().message


def test_agents_answer_prompts_and_are_no_commands() -> None:
    env = mock_env(commands={}, agents={"mend *": said("mended")})
    done = run(ask_agent(AGENTS["claude"], "mend it", cwd="/"), env).unwrap()
    assert "mended" == done.report.result
    with pytest.raises(Unexpected, match="unexpected prompt"):
        run(ask_agent(AGENTS["claude"], "break it", cwd="/"), env)


def test_a_journal_can_fail_once_by_the_event_and_keeps_nothing_then() -> None:
    full = JournalError(fault=JournalFault.NO_SPACE, message="full")
    env = mock_env(journal={"PhaseStarted*": in_order([full, None])})
    answers = [run(record(PhaseStarted(phase=name)), env) for name in ("one", "two")]
    assert Failure(full) == answers[0]
    assert [PhaseStarted(phase="two")] == [event.payload for event in env.journal.events]
    env.check()
