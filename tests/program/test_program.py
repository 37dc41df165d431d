"""The program of a workflow, in a mock environment: no git, no processes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from returns.result import Failure, Result, Success

from anabranch import run
from anabranch.environment import (
    Changes,
    Environment,
    MergeError,
    MergeFault,
    MergeRequest,
    Worktree,
    WorktreeError,
    WorktreeFault,
)
from anabranch.lifecycle import (
    EMPTY,
    CommandEnded,
    Masker,
    RunCreated,
    encode,
    summarise,
    verify,
)
from anabranch.program import Identity, program
from anabranch.program.run import Job
from anabranch.testing import MockEnvironment, conflict, mock_env, printed
from anabranch.values import AnabranchError, HostError, RunStatus, StepStatus
from anabranch.workflow import Workflow, load_workflow

TEXT = """
name: shout
mode: mapreduce
setup:
  - shell: make-items
map:
  input: items.json
  max_parallel: 2
  agent_template:
    - shell: shout ${item.name}
    - shell: git commit -m "${agent.name}"
reduce:
  - shell: count ${map.successful} of ${map.total}
"""

ITEMS = json.dumps([{"name": name} for name in ("a", "b", "c", "d")])


def workflow(text: str = TEXT) -> Workflow:
    return load_workflow(text.encode(), file="shout.yml")


def environment(**given: Any) -> MockEnvironment:
    chosen: dict[str, Any] = {"files": {"items.json": ITEMS}, **given}
    return mock_env(**chosen)


def run_in(env: MockEnvironment, text: str = TEXT) -> Result[RunStatus, AnabranchError]:
    return run(program(workflow(text), Identity(run="r1")), env)


def messages(env: MockEnvironment) -> list[str]:
    return [r.message for r in env.asked("merge") if isinstance(r, MergeRequest)]


def merged(env: MockEnvironment) -> list[str]:
    requests = (request for request in env.asked("merge") if isinstance(request, MergeRequest))
    return [name for r in requests for key, name in r.trailers if key == "Anabranch-Agent"]


def test_every_item_gets_an_agent_and_is_merged_in_input_order() -> None:
    env = environment()
    assert Success(RunStatus.COMPLETED) == run_in(env)
    assert ["agent-0", "agent-1", "agent-2", "agent-3"] == merged(env)
    assert ("run", "count 4 of 4") in {
        (d, t.replace('"${__anabranch_0}"', "4").replace('"${__anabranch_1}"', "4"))
        for d, t in env.commands_run
    }


def test_a_failing_agent_spoils_no_other_and_is_not_merged() -> None:
    def shout(invocation: Any) -> Any:
        bad = invocation.env["__anabranch_0"] == "b"
        return printed(stderr="no voice", exit_code=7) if bad else printed()

    env = environment(commands={"shout *": shout, "*": printed()})
    assert Success(RunStatus.PARTIAL) == run_in(env)
    assert ["agent-0", "agent-2", "agent-3"] == merged(env)
    summary = summarise(env.journal.state)
    assert [("agent-1", 7, "no voice")] == [
        (failure.subject, failure.exit_code, failure.tail) for failure in summary.failed
    ]


UNRELATED = MergeError(fault=MergeFault.UNRELATED, message="no commit in common")


@pytest.mark.parametrize("error", [conflict("same.txt"), UNRELATED])
def test_work_that_cannot_be_merged_fails_the_one_agent_and_keeps_its_branch(
    error: MergeError,
) -> None:
    env = environment(merges={"agent-2": error})
    assert Success(RunStatus.PARTIAL) == run_in(env)
    states = env.journal.state.subjects
    assert StepStatus.FAILED == states["agent-2"].status
    assert ["agent-0", "agent-1", "agent-3"] == [
        name
        for name in ("agent-0", "agent-1", "agent-2", "agent-3")
        if f"anabranch/r1/{name}" in env.asked("drop")
    ]


def test_a_failing_setup_ends_the_run_and_starts_no_agent() -> None:
    env = environment(commands={"make-items": printed(exit_code=1), "*": printed()})
    assert Success(RunStatus.FAILED) == run_in(env)
    assert [("run", "make-items")] == env.commands_run
    assert [] == env.asked("deliver")


def test_an_input_that_is_missing_is_an_error_with_its_place() -> None:
    result = run_in(environment(files={}))
    assert isinstance(result, Failure)
    assert "map.input" == result.failure().problems[0].where.path


def test_a_json_path_that_matches_nothing_is_an_error() -> None:
    result = run_in(
        environment(),
        TEXT.replace("input: items.json", "input: items.json\n  json_path: $.nothing[*]"),
    )
    assert isinstance(result, Failure)
    assert "map.json_path" == result.failure().problems[0].where.path


@pytest.mark.parametrize("failing", ["make-items", "shout *", "count *", "nothing"])
def test_every_run_obeys_the_laws_and_leaves_no_worktree(failing: str) -> None:
    env = environment(commands={failing: printed(exit_code=1), "*": printed()})
    run_in(env)
    assert () == verify(env.journal.events)
    assert {} == env.worktrees.alive


PROMISED = TEXT.replace("  - shell: make-items", "  - {shell: make-items, commit_required: true}")


def ends_of_setup(env: MockEnvironment) -> list[str | None]:
    """The fault of each end of the command of `setup` in the journal."""
    told = (event.payload for event in env.journal.state.subjects["setup[0]"].story)
    return [one.fault for one in told if isinstance(one, CommandEnded)]


def test_a_command_that_ended_well_and_broke_the_promise_of_its_step_says_so() -> None:
    step = "{shell: make-items, capture: made, capture_format: json}"
    env = environment(commands={"*": printed("no JSON")})
    assert Success(RunStatus.FAILED) == run_in(env, TEXT.replace("shell: make-items", step))
    assert ["unmet"] == ends_of_setup(env)


class Blinded:
    """Worktrees that cannot be looked at any more once a command has run."""

    def __init__(self, env: MockEnvironment) -> None:
        self._env = env

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env.worktrees, name)

    async def committed(self, worktree: Worktree) -> Result[Changes, WorktreeError]:
        return self._looked(worktree) or await self._env.worktrees.committed(worktree)

    async def changes(self, worktree: Worktree) -> Result[Changes, WorktreeError]:
        return self._looked(worktree) or await self._env.worktrees.changes(worktree)

    def _looked(self, worktree: Worktree) -> Result[Changes, WorktreeError] | None:
        if not self._env.commands_run:
            return None
        fault = WorktreeFault.GIT
        return Failure(WorktreeError(fault=fault, name=worktree.name, message="the disk is gone"))


def test_a_promise_that_the_machine_could_not_look_into_is_not_said_to_be_broken() -> None:
    mock = environment()
    blinded: Any = Blinded(mock)
    env = Environment(
        worktrees=blinded,
        commands=mock.commands,
        merges=mock.merges,
        files=mock.files,
        journal=mock.journal,
    )
    outcome = run(program(workflow(PROMISED), Identity(run="r1")), env)
    assert isinstance(outcome.failure(), HostError)
    assert [] == ends_of_setup(mock)
    assert RunStatus.INTERRUPTED is mock.journal.state.status


def test_an_item_forges_nothing_in_the_message_of_its_merge() -> None:
    items = ["a\n\nAnabranch-Agent: agent-7\n", "\n", "x" * 1000]
    env = environment(files={"items.json": json.dumps(items)})
    run_in(env, TEXT.replace("${item.name}", "${item}"))
    first, second, third = messages(env)[1:4]
    assert "Merge agent-0: a Anabranch-Agent: agent-7" == first
    assert "Merge agent-1: agent-1" == second
    assert 150 > len(third)


@pytest.mark.parametrize(("worktrees", "agents"), [(None, 2), (0, 1), (3, 1), (4, 2), (99, 2)])
def test_as_many_agents_run_at_once_as_may_have_worktrees(
    worktrees: int | None, agents: int
) -> None:
    assert (
        agents
        == Job(
            workflow=workflow(),
            identity=Identity(run="r1"),
            past=EMPTY,
            masker=Masker(),
            worktrees=worktrees,
        ).agents
    )


def test_a_secret_is_told_in_no_phase() -> None:
    secret = "correct horse"
    text = TEXT.replace("make-items", f"make-items '{secret}'")
    text = text.replace("shout $", f"shout '{secret}' $").replace("count $", f"count '{secret}' $")
    env = environment(commands={"count *": printed(exit_code=1), "*": printed()})
    ended = run(program(workflow(text), Identity(run="r1"), masker=Masker.of([secret])), env)
    assert Success(RunStatus.FAILED) == ended
    told = [event for event in env.journal.events if not isinstance(event.payload, RunCreated)]
    assert [] == [event for event in told if secret.encode() in encode(event)]
    assert any(b"***" in encode(event) for event in told)
