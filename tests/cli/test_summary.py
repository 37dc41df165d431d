"""How the end of a run is told to a person."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from attrs import evolve
from rich.console import Console

from anabranch.cli.drawing import draw
from anabranch.cli.summary import as_text, doing, in_repository
from anabranch.lifecycle import (
    CommandEnded,
    CommandStarted,
    DeadLettered,
    Declared,
    Delivered,
    Event,
    Moved,
    Payload,
    RunCreated,
    RunMoved,
    Running,
    Spent,
    StopReason,
    StopRequested,
    SubjectKind,
    Summary,
    fold,
    summarise,
)
from anabranch.values import RunStatus, StepStatus
from tests.lifecycle.histories import BEGUN, CREATED, history

START = datetime(2026, 3, 14, 12, tzinfo=UTC)
TO = StepStatus


def failing(number: int, said: str) -> Iterator[Payload]:
    """An agent whose only command ends with exit code 1."""
    name = f"agent-{number}"
    yield Declared(subject=name, kind=SubjectKind.AGENT, label=f"file-{number}.txt")
    yield Moved(subject=name, to=TO.QUEUED)
    yield Moved(subject=name, to=TO.RUNNING, attempt=1, worker="w")
    yield CommandStarted(subject=name, command="check")
    yield CommandEnded(subject=name, exit_code=1, fault="exit", tail=said)
    yield Moved(subject=name, to=TO.FAILED, message="`check` ended with exit code 1")


def told(
    *payloads: Payload, base: str = "b0", commit: str = "b0", branch: str | None = None
) -> str:
    """What is told of a run that delivered a commit in the end."""
    story = [
        RunCreated(run="r-1", workflow="w", digest="d", base=base),
        RunMoved(to=RunStatus.RUNNING),
        *payloads,
        Delivered(commit=commit, delivered=True, branch=branch),
        RunMoved(to=RunStatus.PARTIAL),
    ]
    state = fold(Event(n, START, payload, None) for n, payload in enumerate(story, start=1))
    return as_text(summarise(state))


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        ("anabranch resume r-1", "anabranch resume r-1 --repo '../my repo'"),
        ("git merge x", "git -C '../my repo' merge x"),
        ("git -C /there merge x", "git -C /there merge x"),
        ("finish it, then: git -C /there merge x", "finish it, then: git -C /there merge x"),
    ],
)
def test_what_to_type_means_the_repository_that_was_named(command: str, typed: str) -> None:
    assert typed == in_repository(command, "../my repo")
    assert command == in_repository(command, ".")


def test_the_result_of_a_run_that_failed_can_be_taken_from_where_the_user_is() -> None:
    left = Delivered(commit="c1", delivered=False, branch="b", hint="git merge b", reason="why")
    story: list[Payload] = [CREATED, BEGUN, left, RunMoved(to=RunStatus.FAILED)]
    assert "  next: git -C repo merge b" in as_text(summarise(fold(history(*story))), "repo")


def test_failures_that_are_alike_are_told_once_with_the_names_of_all() -> None:
    text = told(*failing(1, "no rule for a.c"), *failing(2, "no rule for b.c"))
    assert 1 == text.count("ended with exit code 1")
    assert "1 more failed alike: file-2.txt (agent-2)" in text


def test_the_kind_that_most_failed_of_is_told_first() -> None:
    text = told(*failing(1, "odd"), *failing(2, "no rule"), *failing(3, "no rule"))
    assert text.index("file-2.txt") < text.index("file-1.txt")


def test_only_the_first_of_many_alike_are_named() -> None:
    many = [payload for n in range(20) for payload in failing(n, "no rule")]
    text = told(*many)
    assert "19 more failed alike: file-1.txt (agent-1), " in text
    assert "file-5.txt (agent-5) and 14 more" in text
    assert "file-6.txt" not in text


def test_a_run_that_brought_nothing_forward_says_that_nothing_was_changed() -> None:
    assert "result: nothing was changed" in told(*failing(1, "no"), commit="b0")
    assert "result: on your branch, commit c1" in told(*failing(1, "no"), commit="c1")


def test_what_failed_is_looked_at_before_it_is_tried_again() -> None:
    assert "next: anabranch logs r-1 agent-1" in told(*failing(1, "no"))


def test_those_that_did_their_work_and_wait_for_their_merge_are_counted() -> None:
    name = "agent-1"
    waiting = told(
        Declared(subject=name, kind=SubjectKind.AGENT, merges=True),
        Moved(subject=name, to=TO.QUEUED),
        Moved(subject=name, to=TO.RUNNING, attempt=1, worker="w"),
        Moved(subject=name, to=TO.VALIDATING),
    )
    assert "agents: 1 in all, 0 done, 0 failed, 0 merged, 1 ready to be merged" in waiting


def test_why_a_run_stopped_early_is_told_with_those_that_never_began() -> None:
    never = Declared(subject="agent-2", kind=SubjectKind.AGENT)
    cancelled = Moved(subject="agent-2", to=TO.CANCELLED)
    stop = StopRequested(reason=StopReason.LIMIT, message="stopped by `max_failures`")
    text = told(never, *failing(1, "no"), stop, cancelled)
    assert "  stopped by `max_failures`\n  agents: 2 in all, 0 done, 1 failed, 0 merged" in text
    assert ", 0 merged, 1 cancelled\n" in text


def test_a_run_without_items_says_that_there_was_none() -> None:
    state = fold(history(CREATED, BEGUN, RunMoved(to=RunStatus.COMPLETED)))
    assert "  agents: none, there was no item to work on" in as_text(summarise(state)).splitlines()


def test_nothing_is_said_of_the_result_while_a_run_goes_on() -> None:
    assert "result:" not in as_text(summarise(fold(history(CREATED, BEGUN))))


def test_a_message_of_several_lines_is_set_in() -> None:
    *others, moved = failing(1, "")
    assert isinstance(moved, Moved)
    text = told(*others, evolve(moved, message="no commit\nhook: no way\nhook: bye"))
    assert "): no commit\n    hook: no way\n    hook: bye\n" in text


def test_what_the_error_says_already_is_not_told_again() -> None:
    *others, moved = failing(1, "I could not do it\n")
    assert isinstance(moved, Moved)
    text = told(*others, evolve(moved, message="`claude` said that it failed: I could not do it"))
    assert 1 == text.count("I could not do it")


def test_work_that_was_not_merged_is_told_with_its_branch() -> None:
    letter = DeadLettered(subject="agent-1", signature="s", message="m", branch="x/agent-1")
    assert "    its work is on branch x/agent-1\n" in told(*failing(1, "no"), letter)


def test_what_is_at_work_is_told_by_the_name_of_the_step_inside_it() -> None:
    began = CommandStarted(subject="setup[0]", command="make all")
    named = Declared(subject="setup[0]", label="build")
    running = [
        Moved(subject="setup[0]", to=TO.QUEUED),
        Moved(subject="setup[0]", to=TO.RUNNING, attempt=1, worker="w"),
    ]

    def at_work(declared: Declared) -> str | None:
        (one,) = summarise(fold(history(CREATED, BEGUN, declared, *running, began))).running
        return doing(one)

    assert "make all" == at_work(named)
    assert None is at_work(evolve(named, label="make all"))


def using(seconds: float) -> Iterator[Payload]:
    """A step whose two commands use that much of a processor each, and some memory."""
    yield Declared(subject="step")
    for number in (1, 2):
        yield CommandStarted(subject="step", command="check")
        user, memory = timedelta(seconds=seconds), number << 20
        yield CommandEnded(subject="step", index=number, user=user, memory_bytes=memory)


def test_what_commands_used_of_the_machine_is_told() -> None:
    text = told(*using(40))
    assert "  commands: 1m 20s of processor time, the largest process took 2 MiB\n" in text


def test_what_commands_hardly_used_is_not_told() -> None:
    assert "processor" not in told(*using(0.4))


def test_what_an_agent_used_is_told_without_a_price_that_nobody_named() -> None:
    agent = Declared(subject="agent-1", kind=SubjectKind.AGENT, label="one")
    tokens = Spent(subject="agent-1", cost_usd=0.0, input_tokens=1200, output_tokens=7)
    assert "  tokens: 1,200 in, 7 out\n" in told(agent, tokens)
    priced = evolve(tokens, cost_usd=0.25)
    assert "  cost: $0.25, 1,200 tokens in, 7 out\n" in told(agent, priced)


def test_a_result_in_a_checkout_without_a_branch_is_not_on_one() -> None:
    text = told(commit="c9", branch="anabranch/r-1/result")
    assert "result: in your checkout, commit c9\n" in f"{text}\n"
    assert "result: on your branch, commit c9\n" in told(commit="c9")


def test_what_is_at_work_takes_one_line_each_however_narrow_the_terminal() -> None:
    agents = [
        running(f"src/module-{n}.py", "check every word of it, and then some") for n in (1, 2)
    ]
    screen = StringIO()
    console = Console(file=screen, width=40)
    console.print(draw(evolve(summarise(fold(history(CREATED, BEGUN))), running=tuple(agents))))
    _head, *rows = screen.getvalue().splitlines()
    assert [
        "   src/module-1.py check every word of …",
        "   src/module-2.py check every word of …",
    ] == rows


def test_how_many_more_are_at_work_than_are_listed_is_told() -> None:
    def rows(count: int) -> list[str]:
        screen = StringIO()
        agents = tuple(running(f"{n}.py", "check") for n in range(count))
        state = evolve(summarise(fold(history(CREATED, BEGUN))), running=agents)
        Console(file=screen, width=60).print(draw(state))
        return [line.rstrip() for line in screen.getvalue().splitlines()[1:]]

    assert [f"   {n}.py check" for n in range(8)] == rows(8)
    assert [f"   {n}.py check" for n in range(8)] + ["   and 4 more"] == rows(12)


def test_a_run_that_is_done_and_still_shown_is_cleaning_up() -> None:
    def head(state: Summary) -> str:
        screen = StringIO()
        Console(file=screen, width=80).print(draw(state))
        return screen.getvalue().splitlines()[0]

    state = summarise(fold(history(CREATED, BEGUN)))
    assert "cleaning up" not in head(state)
    assert "cleaning up" in head(evolve(state, status=RunStatus.COMPLETED))


def running(label: str, step: str) -> Running:
    return Running(
        subject="s", label=label, worker=None, attempt=1, since=START, step=step, command=None
    )
