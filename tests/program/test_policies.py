"""What surrounds steps and items, carried out: in virtual time, without git or processes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest
from attrs import evolve
from returns.result import Success

from anabranch.environment import Changes, Invocation, Oid, Worktree
from anabranch.interpreters import run
from anabranch.interpreters.virtual import VirtualRun, run_virtual
from anabranch.lifecycle import (
    UPSTREAM_FAILED,
    DeadLettered,
    Declared,
    MergeFailed,
    Moved,
    Payload,
    StopRequested,
    fold,
    verify,
)
from anabranch.planning import AccessSet, Tally
from anabranch.program import Identity, program
from anabranch.program.agents import committed
from anabranch.program.oversight import tally_of
from anabranch.program.writes import check_writes
from anabranch.testing import MockEnvironment, mock_env, printed
from anabranch.values import RunStatus, StepStatus
from anabranch.workflow import load_workflow
from tests.lifecycle import histories
from tests.lifecycle.histories import agent, history

HEAD = """
name: w
mode: mapreduce
map:
  input: items.json
  max_parallel: 3
  agent_template:
"""


def environment(items: int = 1, /, **commands: Any) -> MockEnvironment:
    answers = {**commands, "*": printed()}
    return mock_env(files={"items.json": json.dumps(list(range(items)))}, commands=answers)


def executed(text: str, env: MockEnvironment) -> VirtualRun:
    flow = load_workflow(HEAD + text)
    done = run_virtual(program(flow, Identity(run="r1")), env)
    assert () == verify(env.journal.events)
    return done


def failing(times: int, stderr: str = "no") -> Callable[[Invocation], Any]:
    """A command that fails so often in each worktree, and then succeeds."""
    made: Counter[str] = Counter()

    def answer(invocation: Invocation) -> Any:
        made[invocation.cwd] += 1
        return printed(stderr=stderr, exit_code=1) if made[invocation.cwd] <= times else printed()

    return answer


def moves(env: MockEnvironment, subject: str) -> list[StepStatus]:
    payloads = (event.payload for event in env.journal.events)
    return [p.to for p in payloads if isinstance(p, Moved) and p.subject == subject]


def status_of(env: MockEnvironment, subject: str) -> StepStatus:
    return env.journal.state.subjects[subject].status


# --- steps -------------------------------------------------------------------------------------


def test_a_step_is_tried_again_after_the_delays_of_its_policy() -> None:
    env = environment(work=failing(2))
    done = executed("    - {shell: work, retry: {max_attempts: 3, backoff: fixed}}", env)
    assert (RunStatus.COMPLETED, 2.0) == (done.result.unwrap(), done.elapsed)
    assert 3 == env.journal.state.subjects["agent-0/step[0]"].attempt
    retrying = (e.payload for e in env.journal.events if isinstance(e.payload, Moved))
    assert [timedelta(seconds=1)] * 2 == [p.delay for p in retrying if p.delay is not None]


def test_why_a_step_failed_and_why_others_were_skipped_is_told() -> None:
    env = environment(1, work=printed(exit_code=3))
    executed("    - work\n    - ship", env)
    steps = [env.journal.state.subjects[f"agent-0/step[{at}]"].moved for at in (0, 1)]
    assert ["`work` ended with exit code 3", None] == [step and step.message for step in steps]
    assert [None, UPSTREAM_FAILED] == [step and step.reason for step in steps]


def test_a_step_that_is_tried_in_vain_has_failed() -> None:
    env = environment(work=failing(9))
    done = executed("    - {shell: work, retry: {max_attempts: 3, backoff: fixed}}", env)
    assert RunStatus.PARTIAL == done.result.unwrap()
    assert (StepStatus.FAILED, 3) == (
        status_of(env, "agent-0/step[0]"),
        moves(env, "agent-0/step[0]").count(StepStatus.RUNNING),
    )


@pytest.mark.parametrize(("printed_text", "attempts"), [("connection refused", 2), ("syntax", 1)])
def test_only_the_errors_that_are_named_are_worth_another_attempt(
    printed_text: str, attempts: int
) -> None:
    env = environment(work=failing(9, printed_text))
    text = "    - {shell: work, retry: {max_attempts: 2, backoff: fixed, retry_on: network}}"
    executed(text, env)
    assert attempts == moves(env, "agent-0/step[0]").count(StepStatus.RUNNING)


def test_the_failure_of_an_optional_step_is_told_and_tolerated() -> None:
    env = environment(lint=printed(exit_code=1))
    done = executed("    - {name: lint, shell: lint, optional: true}\n    - {shell: ship}", env)
    assert RunStatus.COMPLETED == done.result.unwrap()
    assert [StepStatus.FAILED, StepStatus.COMPLETED] == [
        status_of(env, f"agent-0/step[{at}]") for at in (0, 1)
    ]


def test_steps_that_declare_what_they_write_run_side_by_side() -> None:
    env = environment(1, **{"make *": printed(takes=5)})
    text = """
    - {shell: make a, reads: [], writes: file:a}
    - {shell: make b, reads: [], writes: file:b}
    - {shell: make c, depends_on: [0, 1]}
"""
    assert 10.0 == executed(text, env).elapsed


def test_a_pool_is_shared_by_all_agents_and_never_overdrawn() -> None:
    env = environment(4, train=printed(takes=10))
    text = "    - {shell: train, resources: {gpu: 1}}\n    - {shell: report}\nresources: {gpu: 2}"
    assert 20.0 == executed(text, env).elapsed
    created = env.journal.state.created
    assert created is not None
    assert {"agents": 3, "gpu": 2} == created.limits


def test_a_lock_and_a_rate_hold_across_agents() -> None:
    env = environment(3, call=printed(takes=1), save=printed(takes=1))
    text = """
    - {shell: call, resources: [api]}
    - {shell: save, resources: [db]}
resources: {api: {starts: 1, per: 10s}}
"""
    assert 22.0 == executed(text, env).elapsed


def test_of_those_that_wait_the_one_with_the_longest_way_behind_it_goes_first() -> None:
    env = environment(1, **{"*": printed(takes=1)})
    text = """
    - {shell: short, parallel_safe: true, resources: [db]}
    - {shell: long, name: long, parallel_safe: true, resources: [db]}
    - {shell: after, parallel_safe: true, depends_on: long, estimate: 1h}
"""
    executed(text, env)
    assert ["long", "short"] == [t for _, t in env.commands_run if t in {"long", "short"}]


# --- what was declared to be written ------------------------------------------------------------


class Observed:
    """A worktree as it is after a step."""

    def __init__(self, after: Changes) -> None:
        self.worktrees: Any = self
        self.after = after

    async def changes(self, worktree: Worktree) -> Any:
        assert BEFORE.head == worktree.base
        return Success(self.after)


TREE = Worktree(name="t", path="/t", parent="main", base=Oid("0"))
BEFORE = Changes(head=Oid("1"), uncommitted={"src/old.py": "M 1", "notes": "A 1"})


@pytest.mark.parametrize(
    ("after", "undeclared"),
    [
        (Changes(head=Oid("1"), uncommitted=BEFORE.uncommitted), None),
        (Changes(head=Oid("1"), uncommitted={"src/old.py": "M 2", "notes": "A 1"}), None),
        (Changes(head=Oid("1"), uncommitted={"src/old.py": "M 1", "notes": "A 2"}), "notes"),
        (Changes(head=Oid("1"), uncommitted={"src/old.py": "M 1"}), "notes"),
        (Changes(head=Oid("2"), added=("README",), uncommitted={}), "README"),
        (Changes(head=Oid("2"), modified=("src/a.py",), added=("src/old.py", "notes")), None),
        (Changes(head=Oid("2"), renamed=(("src/a", "b"),), uncommitted={}), "b"),
    ],
)
def test_whatever_was_changed_and_not_declared_is_named(
    after: Changes, undeclared: str | None
) -> None:
    allowed = AccessSet.of(writes=["file:src"])
    check = check_writes("setup[0]", TREE, BEFORE, allowed)
    result: Any = run(check.map_error(str), Observed(after))
    told = "" if undeclared is None else result.failure()
    assert (undeclared is None) == (result.value_or("wrong") is None)
    assert undeclared is None or f"`{undeclared}`" in told


# --- items -------------------------------------------------------------------------------------


def test_an_item_that_fails_is_tried_again_in_a_clean_worktree_and_merged_once() -> None:
    env = environment(2, work=failing(1))
    text = "    - work\nretry_config: {max_attempts: 2, backoff: fixed}"
    done = executed(text, env)
    assert (RunStatus.COMPLETED, 1.0) == (done.result.unwrap(), done.elapsed)
    assert [2, 2] == [env.journal.state.subjects[f"agent-{n}"].attempt for n in (0, 1)]
    assert "agent-0/take[2]/step[0]" in env.journal.state.subjects


def test_so_many_failures_stop_the_run_and_what_has_not_started_never_does() -> None:
    env = environment(9, work=printed(exit_code=1, takes=1))
    done = executed("    - work\nmax_failures: 2", env)
    assert RunStatus.FAILED == done.result.unwrap()
    ends = [status_of(env, f"agent-{n}") for n in range(9)]
    assert [StepStatus.FAILED] * 3 + [StepStatus.CANCELLED] * 6 == ends
    payloads = [event.payload for event in env.journal.events]
    assert ["stopped by `max_failures`"] == [
        p.message for p in payloads if isinstance(p, StopRequested)
    ]


def test_the_share_of_failures_is_of_all_that_finished_and_looked_at_once_ten_have() -> None:
    def work(invocation: Invocation) -> Any:
        return printed(exit_code=int(int(invocation.env["__anabranch_0"]) >= 6))

    env = environment(14, **{"work *": work})
    flow = f"{HEAD}    - work ${{item}}".replace("max_parallel: 3", "max_parallel: 1")
    policy = "error_policy: {failure_threshold: 0.39}"
    done = run_virtual(program(load_workflow(f"{flow}\n{policy}"), Identity(run="r1")), env)
    assert RunStatus.FAILED == done.result.unwrap()
    ends = [status_of(env, f"agent-{n}") for n in range(14)]
    completed, failed, cancelled = StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.CANCELLED
    assert [completed] * 6 + [failed] * 4 + [cancelled] * 4 == ends


def test_an_attempt_that_is_made_again_is_no_failure_of_its_item() -> None:
    once = failing(1)

    def work(invocation: Invocation) -> Any:
        return printed(exit_code=1) if invocation.env["__anabranch_0"] == "0" else once(invocation)

    env = environment(4, **{"work *": work})
    text = "    - work ${item}\nretry_config: {max_attempts: 2, backoff: fixed}\nmax_failures: 2"
    assert RunStatus.PARTIAL == executed(text, env).result.unwrap()


def test_items_that_finished_before_a_run_was_taken_up_count_by_what_they_did() -> None:
    working = [StepStatus.QUEUED, StepStatus.RUNNING]
    ends = {
        "done": [*working, StepStatus.VALIDATING, StepStatus.COMPLETED],
        "waits for its merge": [*working, StepStatus.VALIDATING],
        "not merged": [*working, StepStatus.VALIDATING, StepStatus.FAILED],
        "failed": [*working, StepStatus.FAILED],
        "too late": [*working, StepStatus.TIMED_OUT],
        "at work": working,
        "not begun": [],
    }
    told: list[Payload] = [MergeFailed(subject="not merged", fault="conflict", conflicts=())]
    payloads = [
        *map(agent, ends),
        Declared(subject="a step"),
        *(move for name, statuses in ends.items() for move in histories.moves(name, *statuses)),
        *histories.moves("a step", *ends["done"]),
        *told,
    ]
    past = fold(history(*payloads)).subjects.values()
    assert Tally(completed=3, failed=2) == tally_of(past)


class Idle:
    """Worktrees in which nobody commits anything."""

    def __init__(self, port: Any) -> None:
        self.port = port

    async def committed(self, worktree: Worktree) -> Any:
        return Success(Changes(head=worktree.base))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.port, name)


@pytest.mark.parametrize("idle", [True, False])
def test_of_an_agent_that_failed_the_branch_is_kept_if_there_is_work_on_it(idle: bool) -> None:
    env = environment(1, work=printed(exit_code=1))
    if idle:
        env = evolve(env, worktrees=cast("Any", Idle(env.worktrees)))
    executed("    - work", env)
    branch = "anabranch/r1/agent-0"
    (letter,) = [e.payload for e in env.journal.events if isinstance(e.payload, DeadLettered)]
    assert (idle, None if idle else branch) == (branch in env.asked("drop"), letter.branch)


def test_all_files_that_an_agent_committed_are_told() -> None:
    changes = Changes(
        head=Oid("2"), commits=(Oid("2"),), added=("a",), modified=("b",), deleted=("c",)
    )
    assert [("a", "b", "c")] == [told.files for told in committed("agent-0", changes)]
    assert [] == committed("agent-0", Changes(head=Oid("1")))


def test_the_first_failure_stops_a_run_that_does_not_go_on() -> None:
    env = environment(5, work=printed(exit_code=1))
    assert RunStatus.FAILED == executed("    - work\non_item_failure: stop", env).result.unwrap()
    assert StepStatus.CANCELLED == status_of(env, "agent-4")


@pytest.mark.parametrize(("word", "kept"), [("dlq", 2), ("skip", 0), ("retry", 2)])
def test_items_that_failed_are_kept_or_left_out(word: str, kept: int) -> None:
    env = environment(2, work=printed(exit_code=1))
    executed(f"    - work\nerror_policy: {{on_item_failure: {word}}}", env)
    letters = [e for e in env.journal.events if isinstance(e.payload, DeadLettered)]
    assert kept == len(letters)


def test_a_breaker_that_opens_pauses_the_agents_that_have_not_started() -> None:
    env = environment(4, work=failing(1))
    breaker = "circuit_breaker: {failure_threshold: 1, timeout: 30s, success_threshold: 1}"
    flow = f"{HEAD}    - work".replace("max_parallel: 3", "max_parallel: 1") + f"\n{breaker}"
    done = run_virtual(program(load_workflow(flow), Identity(run="r1")), env)
    assert (RunStatus.PARTIAL, 90.0) == (done.result.unwrap(), done.elapsed)
