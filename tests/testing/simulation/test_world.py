"""Workflows in a simulated world: the program that really runs, with git, processes and a disk."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from returns.result import Result, Success

from anabranch import Effect, from_async, race, sleep, start_branch
from anabranch.effects.work import execute, record, traces_on
from anabranch.environment import Invocation
from anabranch.lifecycle import Moved, Opened, PhaseStarted
from anabranch.testing import run_virtual
from anabranch.testing.git import MemoryTree, memory_repository
from anabranch.testing.simulation import (
    Chance,
    Faults,
    Kill,
    Living,
    Process,
    Run,
    SimulationFailed,
    World,
    commits,
    explore,
    kill_everywhere,
    simulate,
)
from anabranch.testing.simulation.journals import Disk
from anabranch.testing.simulation.laws import laws
from anabranch.testing.simulation.lives import work_of, world_scenario
from anabranch.testing.simulation.processes import SimulatedCommands
from anabranch.values import RunStatus, StepStatus, UsageError
from anabranch.workflow import Workflow, load_workflow

BRANCH = "anabranch/run/result"

TEXT = """
name: shout
mode: mapreduce
setup:
  - shell: make-items
map:
  input: items.json
  max_parallel: 2
  agent_template:
    - shell: shout ${item}
      timeout: 10
reduce:
  - shell: count ${map.successful} of ${map.total}
"""


def workflow(text: str = TEXT) -> Workflow:
    return load_workflow(text.encode(), file="shout.yml")


def world(shout: Process | None = None, items: int = 3, **more: Any) -> World:
    script = shout or Process(takes=(1, 5), work=commits())
    files = {"items.json": json.dumps(list(range(items)))}
    return World(files=files, commands={"shout*": script}, **more)


def living(run: Run) -> Living:
    made = run.env
    assert isinstance(made, Living)
    return made


def statuses(run: Run) -> list[StepStatus]:
    state = living(run).journals["run"][-1].state
    return [state.subjects[f"agent-{number}"].status for number in range(3)]


def failure_of(what: Any, where: World, **options: Any) -> SimulationFailed:
    with pytest.raises(SimulationFailed) as caught:
        simulate(what, where, **options)
    return caught.value


def test_what_agents_commit_reaches_the_user_under_every_schedule() -> None:
    def all_there(run: Run) -> None:
        assert Success(RunStatus.COMPLETED) == run.result
        home = living(run).repository.home.files
        assert {"agent-0.txt", "agent-1.txt", "agent-2.txt"} <= home.keys()

    assert 30 == simulate(workflow(), world(), check=all_there, schedules=30).runs


def test_every_schedule_of_two_agents_keeps_the_laws() -> None:
    small = workflow(
        "name: small\nmode: mapreduce\nmap:\n  input: items.json\n  max_parallel: 2\n"
        "  agent_template:\n    - shell: shout\n"
    )
    done = explore(small, world(Process(work=commits()), items=2), at_most=20_000)
    assert done.runs > 1


def test_agents_that_edit_the_same_line_conflict_and_the_first_one_wins() -> None:
    def one_wins(run: Run) -> None:
        assert Success(RunStatus.PARTIAL) == run.result
        assert 1 == statuses(run).count(StepStatus.COMPLETED)

    def edit(tree: MemoryTree) -> None:
        tree.commit({"same.txt": tree.path})

    simulate(workflow(), world(Process(work=edit)), check=one_wins, schedules=20)


def test_a_hanging_command_is_ended_when_its_time_is_over() -> None:
    def timed_out(run: Run) -> None:
        assert [StepStatus.TIMED_OUT] * 3 == statuses(run)
        assert 20.0 == run.elapsed

    simulate(workflow(), world(Process(hangs=True)), check=timed_out, schedules=5)


def test_a_command_that_ignores_its_end_is_killed_after_its_time_of_grace() -> None:
    def late(run: Run) -> bool:
        return run.elapsed == 30.0

    simulate(workflow(), world(Process(hangs=True, stubborn=True)), check=late, schedules=5)


def test_a_command_that_hangs_without_a_limit_is_a_deadlock_that_names_it() -> None:
    endless = workflow(TEXT.replace("      timeout: 10\n", ""))
    failed = failure_of(endless, world(Process(hangs=True)))
    assert "DeadlockError" == failed.fault.kind
    assert "which hangs" in failed.fault.message


def test_a_timeline_says_in_words_what_was_written_to_the_journal() -> None:
    def never(_: Run) -> bool:
        return False

    failed = failure_of(workflow(), world(Process(exit_code=1)), check=never)
    assert "→ Moved agent-0/step[0] failed" in str(failed.timeline)


def test_children_that_nothing_contains_break_a_law() -> None:
    leaving = Process(leaves=2)
    assert 2 == simulate(workflow(), world(leaving), schedules=2).runs
    failed = failure_of(workflow(), world(leaving, contained=False))
    assert "laws" == failed.fault.kind
    assert "a process was left running: a child of shout" in failed.fault.message


def test_a_command_that_touches_the_users_checkout_breaks_a_law() -> None:
    def trespass(tree: MemoryTree) -> None:
        MemoryTree(tree.store, "/repository").write("mine.txt", "overwritten")

    failed = failure_of(workflow(), world(Process(work=trespass), uncommitted={"mine.txt": "mine"}))
    assert "commands.run touched the user's checkout" in failed.fault.message
    assert "the user's mine.txt was not committed, and is lost" in failed.fault.message


def test_uncommitted_work_outlives_every_run() -> None:
    def kept(run: Run) -> bool:
        return living(run).repository.home.files["notes.txt"] == b"mine"

    simulate(workflow(), world(uncommitted={"notes.txt": "mine"}), check=kept, schedules=10)


def test_two_runs_in_one_repository_keep_the_laws() -> None:
    def both_ended(run: Run) -> None:
        assert {"run", "run-2"} == living(run).journals.keys()

    simulate(workflow(), world(), check=both_ended, runners=2, schedules=20)


def test_faults_of_git_and_of_processes_keep_the_laws() -> None:
    faults = Faults(git=0.02, commands=0.05, most=3)
    simulate(workflow(), world(faults=faults), schedules=40)


def test_an_effect_is_done_again_after_its_process_was_killed() -> None:
    done: list[int] = []

    async def count(env: Any) -> Result[None, Any]:
        await env.files.write("/done", b"")
        return Success(None)

    def note(run: Run) -> None:
        done.append(len(living(run).calls))

    simulate(from_async(count), world(faults=Faults(kills=0.5, most=1)), check=note, schedules=20)
    assert {1, 2} == set(done)


def test_what_a_failure_tells_can_be_made_again() -> None:
    def none_left(run: Run) -> bool:
        return StepStatus.FAILED not in statuses(run)

    where = world(faults=Faults(commands=0.1, most=1))
    failed = failure_of(workflow(), where, check=none_left)
    assert "FAULT no process can be started" in str(failed)
    again = failure_of(workflow(), where, check=none_left, replay=failed.choices)
    assert str(failed.timeline) == str(again.timeline)


@pytest.mark.parametrize("pairs", [0, 30])
def test_a_kill_that_is_not_well_is_made_again_by_the_choices_that_are_printed(pairs: int) -> None:
    def few(run: Run) -> bool:
        return len(living(run).journals["run"]) < (3 if pairs else 2)

    told: Effect[Any, Any, Any] = record(PhaseStarted(phase="p"))
    made = start_branch(BRANCH).and_then(lambda _: told)
    with pytest.raises(SimulationFailed) as caught:
        kill_everywhere(made, world(), check=few, pairs=pairs)
    failed = caught.value
    printed = re.search(r"replay=(\[[\d, ]*\])", str(failed))
    assert printed
    replay = json.loads(printed[1])
    assert list(failed.choices) == replay
    with pytest.raises(SimulationFailed) as again:
        kill_everywhere(made, world(), check=few, replay=replay)
    assert str(failed) == str(again.value)
    deadly = world(faults=Faults(kills=0.01))
    assert str(failed) == str(failure_of(made, deadly, check=few, replay=replay))


def test_moments_that_leave_the_same_world_are_tried_once() -> None:
    made = start_branch(BRANCH)
    looked_at = made.and_then(lambda _: traces_on(BRANCH, "main"))
    plain, longer = (kill_everywhere(e, world(), pairs=0).runs for e in (made, looked_at))
    assert plain == longer


@pytest.mark.parametrize("lines", [0, 1, 5])
def test_every_beginning_of_what_was_not_synced_is_left_once(lines: int) -> None:
    told = record(*(PhaseStarted(phase=f"p{n}") for n in range(lines)))
    # The line that says that the journal was opened, is not synced either.
    assert 1 + 1 + lines == kill_everywhere(told, world(), pairs=0).runs


@pytest.mark.parametrize("finished", [False, True])
def test_a_command_that_is_under_way_when_its_process_dies_is_done_or_not(
    finished: bool,
) -> None:
    repository = memory_repository()
    commands = SimulatedCommands(
        scripts={"*": Process(takes=9, work=commits("a.txt", "a"))},
        repository=repository,
        chance=Chance(),
    )

    async def killed(_: object) -> Result[None, None]:
        commands.killed("run", finished=finished)
        return Success(None)

    working = execute(Invocation(argv=("shout",), cwd="/repository", env={"ANABRANCH_RUN": "run"}))
    killing = sleep(1).and_then(lambda _: from_async(killed))
    run_virtual(race([working, killing]), SimpleNamespace(commands=commands))
    assert finished == ("a.txt" in repository.home.files)
    assert {} == commands.alive


def test_a_workflow_needs_a_world() -> None:
    with pytest.raises(UsageError, match="a workflow runs in a world"):
        simulate(workflow())


@pytest.mark.parametrize("kept", [0, 1, 2])
@pytest.mark.parametrize("torn", [0, 1])
def test_after_a_crash_a_disk_holds_a_prefix_and_perhaps_a_torn_line(kept: int, torn: int) -> None:
    lines = [b"first\n", b"second\n"]
    disk, chance = Disk(b"synced\n", list(lines)), Chance(lambda n, _: min((kept, torn)[n == 2], n))
    disk.crash(chance)
    whole = b"synced\n" + b"".join(lines[:kept])
    assert disk.synced.startswith(whole)
    assert len(disk.synced) - len(whole) == (torn * 2 if kept == 0 else torn * 3) * (kept < 2)


def test_the_journal_that_is_left_tells_every_process_that_opened_it() -> None:
    def told(run: Run) -> None:
        events = living(run).journals["run"][-1].events
        opened = [e.payload for e in events if isinstance(e.payload, Opened)]
        assert [1] == [payload.process for payload in opened]
        assert any(isinstance(event.payload, Moved) for event in events)

    simulate(workflow(), world(), check=told, schedules=1)


def test_a_run_that_is_killed_at_any_moment_keeps_the_laws_and_comes_to_its_end() -> None:
    def ended(run: Run) -> None:
        assert living(run).journals["run"][-1].state.status is RunStatus.COMPLETED

    where = world(faults=Faults(kills=0.02, most=3))
    assert 50 == simulate(workflow(), where, check=ended, schedules=50).runs


def test_a_run_that_was_killed_after_its_delivery_leaves_no_branch() -> None:
    where, asked = world(), len(living_after().calls)
    for moment in range(2 * asked - 8, 2 * asked):
        run = run_of(where, kills={moment: Kill()})
        assert "" == laws(run)


def living_after() -> Living:
    return living(run_of(world()))


def run_of(where: World, kills: Mapping[int, Kill] | None = None) -> Run:
    work = work_of(workflow())
    return world_scenario(work, where, runs=["run"], max_turns=10_000, kills=kills)(
        Chance(last), None
    )


def last(options: int, _rate: float) -> int:
    """Whatever was written survives a crash."""
    return options - 1
