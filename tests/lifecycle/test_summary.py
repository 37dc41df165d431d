from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from anabranch.lifecycle import (
    CommandEnded,
    CommandStarted,
    DeadLettered,
    DeadLetterResolved,
    Declared,
    Delivered,
    DeliveryStarted,
    MergeFailed,
    Moved,
    Opened,
    Payload,
    PhaseEnded,
    PhaseStarted,
    RunMoved,
    Spent,
    StopReason,
    StopRequested,
    Summary,
    WorktreeCreated,
    broken_off,
    fold,
    summarise,
)
from anabranch.values import RunStatus
from tests.lifecycle.histories import (
    AGAIN,
    BEGUN,
    CREATED,
    NOON,
    C,
    F,
    Q,
    R,
    S,
    T,
    V,
    agent,
    history,
    merged,
    moves,
)

CANCELLING = StopRequested(reason=StopReason.CANCELLED)
INTERRUPTED = RunMoved(to=RunStatus.INTERRUPTED)
PARTIAL = RunMoved(to=RunStatus.PARTIAL)
STEP = Declared(subject="one/step[0]", parent="one", label="pytest")


def summary(*payloads: Payload) -> Summary:
    return summarise(fold(history(*payloads)))


def test_nothing_has_a_summary() -> None:
    nothing = summary()
    assert ("", RunStatus.PENDING, timedelta()) == (nothing.run, nothing.status, nothing.elapsed)


def test_agents_and_steps_are_counted_apart_and_inner_steps_not_at_all() -> None:
    setup = Declared(subject="setup[0]")
    found = summary(CREATED, setup, agent("one"), STEP, agent("two"), *moves("two", Q, S))
    assert {Q.PENDING: 1, S: 1} == found.agents
    assert {Q.PENDING: 1} == found.steps


def test_what_runs_is_told_with_the_command_of_its_innermost_step() -> None:
    command = CommandStarted(subject=STEP.subject, command="pytest -q")
    found = summary(agent("one"), STEP, *moves("one", Q, R), *moves(STEP.subject, Q, R), command)
    (running,) = found.running
    assert ("one", "w-0", 1, "pytest -q") == (
        running.subject,
        running.worker,
        running.attempt,
        running.command,
    )
    assert NOON + timedelta(seconds=4) == running.since


def test_a_failed_agent_is_told_with_what_its_failing_step_printed() -> None:
    ended = CommandEnded(
        subject=STEP.subject, exit_code=2, tail="1 failed", log="/logs/one", fault="exit"
    )
    why = Moved(subject="one", to=F, message="step pytest failed")
    letter = DeadLettered(subject="one", signature="s", branch="anabranch/r-1/one")
    (failed,) = summary(
        CREATED,
        BEGUN,
        agent("one"),
        STEP,
        *moves("one", Q, R),
        *moves(STEP.subject, Q, R),
        ended,
        *moves(STEP.subject, F),
        why,
        letter,
    ).failed
    assert ("one", F, "one/step[0]", 1) == (
        failed.subject,
        failed.status,
        failed.at,
        failed.attempts,
    )
    assert (2, "1 failed", "/logs/one") == (failed.exit_code, failed.tail, failed.log)
    assert ("step pytest failed", "anabranch/r-1/one") == (failed.message, failed.branch)


@pytest.mark.parametrize("inside", [True, False])
def test_a_failure_without_a_letter_is_signed_by_the_step_where_it_happened(inside: bool) -> None:
    name = STEP.subject if inside else "one"
    ended = CommandEnded(subject=name, exit_code=2, tail="1 failed", fault="exit")
    begun = [*moves("one", Q, R), *(moves(name, Q, R) if inside else ())]
    failures = [*(moves(name, F) if inside else ()), *moves("one", F)]
    declared = [agent("one"), *([STEP] if inside else ())]
    (failed,) = summary(CREATED, BEGUN, *declared, *begun, ended, *failures).failed
    assert ("step[0]: " if inside else "") + "exit code 2: # failed" == failed.signature


def test_a_delivery_that_was_begun_is_under_way_until_it_is_told_what_became_of_it() -> None:
    started, ended = DeliveryStarted(branch="b"), Delivered(commit="c", delivered=True)
    stories: list[list[Payload]] = [[], [started], [started, ended]]
    assert [False, True, False] == [summary(CREATED, BEGUN, *s).delivering for s in stories]


def test_a_conflict_is_told_with_its_files() -> None:
    conflict = MergeFailed(subject="one", fault="conflict", conflicts=("a.py",))
    (failed,) = summary(agent("one"), *moves("one", Q, R, V), conflict, *moves("one", F)).failed
    assert ("a.py",) == failed.conflicts


def test_the_list_of_failures_can_be_cut_and_the_counts_stay() -> None:
    first, second = (moves(name, Q, R, T) for name in "ab")
    both = history(Declared(subject="a"), *first, Declared(subject="b"), *second)
    found = summarise(fold(both), failures=1)
    assert (["a"], {T: 2}) == ([f.subject for f in found.failed], found.steps)


def test_time_that_a_run_was_interrupted_does_not_count() -> None:
    assert timedelta(seconds=2) == summary(CREATED, BEGUN, INTERRUPTED, BEGUN, INTERRUPTED).elapsed


def test_the_time_in_which_its_process_was_dead_does_not_count() -> None:
    opened = Opened(host="river", process=1)
    died = summary(
        CREATED, BEGUN, agent("one"), opened, INTERRUPTED, BEGUN, RunMoved(to=RunStatus.COMPLETED)
    )
    assert timedelta(seconds=3) == died.elapsed
    refused_once = summary(CREATED, BEGUN, agent("one"), opened, opened)
    assert timedelta(seconds=1) == refused_once.elapsed


def test_a_run_that_goes_on_is_as_old_as_its_last_event() -> None:
    assert timedelta(seconds=1) == summary(CREATED, BEGUN, agent("one")).elapsed


def test_a_phase_lasts_until_its_end_or_until_now() -> None:
    begin = PhaseStarted(phase="setup")
    ended = summary(CREATED, begin, PhaseEnded(phase="setup"), PhaseStarted(phase="map"))
    assert {"setup": timedelta(seconds=1), "map": timedelta()} == ended.phases


def test_time_that_a_run_was_interrupted_is_no_time_of_its_phases() -> None:
    setup, work = PhaseStarted(phase="setup"), PhaseStarted(phase="map")
    told: list[Payload] = [setup, PhaseEnded(phase="setup"), work, INTERRUPTED, BEGUN, agent("one")]
    found = summary(CREATED, BEGUN, *told)
    assert {"setup": timedelta(seconds=1), "map": timedelta(seconds=2)} == found.phases


def test_the_time_in_which_its_process_was_dead_is_no_time_of_its_phases() -> None:
    work, opened = PhaseStarted(phase="map"), Opened(host="river", process=1)
    found = summary(CREATED, BEGUN, work, agent("one"), opened, INTERRUPTED, BEGUN, work)
    assert {"map": timedelta(seconds=3)} == found.phases
    assert timedelta(seconds=4) == found.elapsed


def test_merges_letters_and_costs_add_up() -> None:
    found = summary(
        agent("one"),
        agent("two"),
        merged("one"),
        Spent(subject="one", cost_usd=0.5, input_tokens=10, output_tokens=1),
        Spent(subject="two", cost_usd=0.25, input_tokens=5),
        DeadLettered(subject="two", signature="s"),
    )
    assert (1, ("two",)) == (found.merged, found.letters)
    assert (0.75, 15, 1) == (found.cost_usd, found.input_tokens, found.output_tokens)


def test_a_letter_that_was_taken_up_is_no_letter() -> None:
    found = summary(
        agent("two"),
        DeadLettered(subject="two", signature="s"),
        DeadLetterResolved(subject="two", run="r-2"),
    )
    assert () == found.letters


KEPT = Delivered(commit="c9", delivered=False, branch="run", hint="git merge --ff-only run")
LIFE = [agent("one"), *moves("one", Q, R, F)]
CONFLICT = MergeFailed(subject="one", fault="conflict", conflicts=("a.py",))
LETTER = DeadLettered(subject="one", signature="s")


@pytest.mark.parametrize(
    ("payloads", "commands"),
    [
        ([BEGUN], ()),
        ([BEGUN, INTERRUPTED], ("anabranch resume r-1",)),
        ([BEGUN, INTERRUPTED, CANCELLING], ("anabranch cancel r-1",)),
        ([CANCELLING], ("anabranch cancel r-1",)),
        ([BEGUN, INTERRUPTED, CANCELLING, BEGUN], ()),
        ([BEGUN, CANCELLING, RunMoved(to=RunStatus.CANCELLED)], ()),
        ([BEGUN, *LIFE, LETTER], ()),
        ([BEGUN, *LIFE, PARTIAL], ("anabranch logs r-1 one",)),
        (
            [BEGUN, Declared(subject="setup[0]"), *moves("setup[0]", Q, R, F), PARTIAL],
            ("anabranch logs r-1 'setup[0]'",),
        ),
        ([BEGUN, *LIFE, LETTER, PARTIAL], ("anabranch logs r-1 one", "anabranch dlq retry r-1")),
        ([BEGUN, *LIFE, CONFLICT, PARTIAL], ("anabranch logs r-1 one",)),
        (
            [BEGUN, *LIFE, CONFLICT, LETTER, PARTIAL],
            ("anabranch dlq show r-1 one", "anabranch dlq retry r-1"),
        ),
        ([BEGUN, KEPT, RunMoved(to=RunStatus.COMPLETED)], ("git merge --ff-only run",)),
    ],
)
def test_the_summary_says_what_to_type_next(
    payloads: list[Payload], commands: tuple[str, ...]
) -> None:
    assert commands == summary(CREATED, *payloads).next_commands


def test_a_label_stands_for_the_id() -> None:
    labelled = evolve(agent("one"), label="src/a.py")
    found = summary(labelled, *moves("one", Q, R, AGAIN, Q, R))
    assert [("src/a.py", 2)] == [(r.label, r.attempt) for r in found.running]


def test_a_worktree_that_was_given_back_is_not_running() -> None:
    tree = WorktreeCreated(subject="one", path="/t/0")
    assert () == summary(agent("one"), tree, *moves("one", Q, R, V, C)).running


@pytest.mark.parametrize(
    ("payloads", "status", "commands"),
    [
        ([], RunStatus.INTERRUPTED, ("anabranch resume r-1",)),
        ([BEGUN], RunStatus.INTERRUPTED, ("anabranch resume r-1",)),
        ([BEGUN, CANCELLING], RunStatus.INTERRUPTED, ("anabranch cancel r-1",)),
        ([BEGUN, RunMoved(to=RunStatus.COMPLETED)], RunStatus.COMPLETED, ()),
    ],
)
def test_a_run_that_was_broken_off_is_interrupted_and_says_how_to_go_on(
    payloads: list[Payload], status: RunStatus, commands: tuple[str, ...]
) -> None:
    found = broken_off(summary(CREATED, *payloads))
    assert (status, commands) == (found.status, found.next_commands)


def test_nothing_can_be_resumed_of_a_run_that_had_not_begun() -> None:
    assert () == broken_off(summary()).next_commands
