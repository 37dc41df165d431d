from __future__ import annotations

import pytest

from anabranch import run
from anabranch.environment import CommandOutput
from anabranch.lifecycle import CommandEnded, CommandStarted, Masker, WorktreeCreated
from anabranch.program import Identity, program
from anabranch.program.step_lists import listed
from anabranch.testing import MockEnvironment, mock_env, printed
from anabranch.values import StepStatus
from anabranch.workflow import Step, load_workflow, step


@pytest.mark.parametrize(
    ("steps", "in_a_row"),
    [
        ([], True),
        (["make"], True),
        (["make", "make test", "make clean"], True),
        (["A=1", "B=2"], False),
        (["make", "A=1", "B=2", "make test"], False),
    ],
)
def test_steps_that_all_wait_for_each_other_stand_in_a_row(
    steps: list[str], *, in_a_row: bool
) -> None:
    assert in_a_row == listed([step(text) for text in steps], Masker()).order.in_a_row


def test_a_step_is_called_by_its_name_or_by_what_it_does_without_secrets() -> None:
    steps: list[Step] = [step("login horse battery"), step("make", name="horse battery!")]
    found = listed(steps, Masker.of(["horse battery"]))
    assert (("login ***", "make"), ("login ***", "***!")) == (found.shown, found.labels)


WORKFLOW = """
name: w
mode: mapreduce
map:
  input: items.json
  agent_template:
    - shell: one
    - shell: two
    - shell: three
      optional: true
    - shell: four
"""


def ran(**commands: CommandOutput) -> MockEnvironment:
    env = mock_env(files={"items.json": "[1]"}, commands={**commands, "*": printed()})
    run(program(load_workflow(WORKFLOW.encode(), file="w.yml"), Identity(run="r")), env)
    return env


def ends(env: MockEnvironment) -> list[tuple[str, StepStatus, str | None]]:
    steps = [s for name, s in env.journal.state.subjects.items() if "/" in name]
    return [
        (s.declared.subject[-2], s.status, s.moved.upstream) for s in steps if s.moved is not None
    ]


def test_a_step_that_fails_skips_all_that_stand_behind_it() -> None:
    skipped = (StepStatus.SKIPPED, "agent-0/step[1]")
    assert [
        ("0", StepStatus.COMPLETED, None),
        ("1", StepStatus.FAILED, None),
        ("2", *skipped),
        ("3", *skipped),
    ] == ends(ran(two=printed(exit_code=1)))


def test_an_optional_step_that_fails_skips_nothing() -> None:
    assert StepStatus.COMPLETED == ends(ran(three=printed(exit_code=1)))[3][1]


def test_what_no_act_separates_is_told_at_once() -> None:
    subjects = ran().journal.state.subjects
    made = [e for e in subjects["agent-0"].story if isinstance(e.payload, WorktreeCreated)]
    step = subjects["agent-0/step[0]"].story
    ended = [event.time for event in step if isinstance(event.payload, CommandEnded)]
    begun = [event.time for event in step if isinstance(event.payload, CommandStarted)]
    assert [made[0].time, step[0].time] == begun * 2
    assert ended * 2 == [event.time for event in step[-2:]]
