"""Steps of which nobody knows whether they were done: each follows its policy."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import evolve

from anabranch.environment import CommandOutput, Invocation
from anabranch.lifecycle import (
    CommandStarted,
    DoubtSettled,
    Event,
    Moved,
    dead_letters,
    fold,
    verify,
)
from anabranch.program import open_questions
from anabranch.program.places import RUN_VARIABLE
from anabranch.services.journal import MemoryJournal
from anabranch.testing import MockEnvironment, mock_env, printed
from anabranch.values import RunStatus, StepStatus
from anabranch.workflow import InDoubt, Workflow, map_phase, map_reduce, step
from tests.program.crashes import crashed, past_of, resume


def flow(policy: InDoubt | None = None, probe: str | None = None) -> Workflow:
    pay = step("pay", in_doubt=policy, probe=probe)
    setup = [step("prepare", in_doubt=policy, probe=probe)]
    return map_reduce(
        "pay", setup=setup, map=map_phase("items.json", [pay, "make"], max_parallel=1)
    )


def dead_in(subject: str, workflow: Workflow, **commands: CommandOutput) -> MockEnvironment:
    """A world in which the process died while a command ran, or right after it had begun."""
    answers: Mapping[str, CommandOutput] = {**commands, "*": printed()}
    env = mock_env(files={"items.json": '["a", "b"]'}, commands=answers)
    return crashed(
        env,
        lambda payload: isinstance(payload, CommandStarted) and payload.subject == subject,
        after=True,
        flow=workflow,
    )


def ran(env: MockEnvironment) -> list[str]:
    asked = (call for call in env.asked("run") if isinstance(call, Invocation))
    return [call.label for call in asked]


def said(env: MockEnvironment, **verdicts: str) -> MockEnvironment:
    events: list[Event] = list(env.journal.events)
    for name, verdict in verdicts.items():
        payload = DoubtSettled(subject=name.replace("_0", "[0]"), verdict=verdict)
        events.append(Event(len(events) + 1, events[-1].time, payload))
    return evolve(env, journal=MemoryJournal(events=events))


def test_unless_told_otherwise_a_step_in_doubt_is_run_again() -> None:
    env = resume(dead_in("setup[0]", flow()), flow())
    assert 1 == ran(env).count("setup[0]")
    assert RunStatus.COMPLETED is env.journal.state.status


@pytest.mark.parametrize(
    ("code", "runs", "status"),
    [
        (0, 0, RunStatus.COMPLETED),
        (1, 1, RunStatus.COMPLETED),
        (2, 0, RunStatus.FAILED),
    ],
)
def test_a_probe_tells_whether_a_step_was_done(code: int, runs: int, status: RunStatus) -> None:
    probed = flow(probe="was-it-done")
    env = dead_in("setup[0]", probed, **{"was-it-done": printed(exit_code=code)})
    env = resume(env, probed)
    assert (1, runs) == (ran(env).count("setup[0]/probe"), ran(env).count("setup[0]"))
    assert status is env.journal.state.status
    assert () == verify(env.journal.events)


def test_an_agent_asks_the_probe_of_a_step_that_was_done_before_it_does_it_again() -> None:
    probed = flow(probe="was-it-done")
    env = dead_in("agent-0/step[1]", probed)
    env = resume(env, probed)
    assert "agent-0/take[2]/step[0]/probe" in ran(env)
    assert "agent-0/take[2]/step[0]" not in ran(env)
    assert "agent-0/take[2]/step[1]" in ran(env)
    assert RunStatus.COMPLETED is env.journal.state.status
    asked = {a.label: a.env for a in env.asked("run") if isinstance(a, Invocation)}
    probe, step = (asked[f"agent-0/take[2]/{it}"] for it in ("step[0]/probe", "step[1]"))
    assert probe.keys() == step.keys()
    assert probe[RUN_VARIABLE] == step[RUN_VARIABLE]


@pytest.mark.parametrize("subject", ["agent-0/step[0]", "agent-0/step[1]"])
def test_an_item_whose_step_is_not_to_be_done_twice_is_put_aside(subject: str) -> None:
    strict = flow(InDoubt.DLQ)
    env = resume(dead_in(subject, strict), strict)
    state = env.journal.state
    assert RunStatus.PARTIAL is state.status
    assert ["agent-0"] == [letter.subject for letter in dead_letters(state)]
    assert StepStatus.COMPLETED is state.subjects["agent-1"].status
    assert not [label for label in ran(env) if label.startswith("agent-0/take")]
    assert () == verify(env.journal.events)
    assert {} == env.worktrees.alive


def test_a_step_that_asks_is_a_question_until_somebody_answers() -> None:
    asking = flow(InDoubt.ASK)
    env = dead_in("setup[0]", asking)
    past = past_of(env)
    assert past is not None
    assert ("setup[0]",) == open_questions(asking, past)
    answered = said(env, setup_0="done")
    assert () == open_questions(asking, fold(answered.journal.events))
    ended = resume(answered, asking)
    assert 0 == ran(ended).count("setup[0]")
    assert StepStatus.COMPLETED is ended.journal.state.subjects["setup[0]"].status


def test_a_step_that_was_answered_to_be_run_again_is() -> None:
    asking = flow(InDoubt.ASK)
    ended = resume(said(dead_in("setup[0]", asking), setup_0="again"), asking)
    assert 1 == ran(ended).count("setup[0]")
    assert RunStatus.COMPLETED is ended.journal.state.status


def test_an_agent_that_did_all_its_work_asks_nothing_though_a_step_of_it_was_left_out() -> None:
    asking = map_reduce(
        "pay",
        map=map_phase(
            "items.json",
            [step("pay", in_doubt=InDoubt.ASK), step("make", when="item == 'none'")],
            max_parallel=1,
        ),
    )
    env = crashed(
        mock_env(files={"items.json": '["a", "b"]'}),
        lambda payload: payload == Moved(subject="agent-0", to=StepStatus.VALIDATING),
        flow=asking,
    )
    past = past_of(env)
    assert past is not None
    assert StepStatus.SKIPPED is past.subjects["agent-0/step[1]"].status
    assert () == open_questions(asking, past)
    env = resume(env, asking)
    assert 1 == ran(env).count("agent-0/step[0]")
    assert RunStatus.COMPLETED is env.journal.state.status


@pytest.mark.parametrize("answer", ["again", "done"])
def test_an_answer_counts_for_the_doubt_that_it_was_given_to(answer: str) -> None:
    asking = flow(InDoubt.ASK)
    env = said(dead_in("setup[0]", asking), setup_0="again")
    env = crashed(
        env,
        lambda payload: isinstance(payload, CommandStarted) and payload.subject == "setup[0]",
        after=True,
        flow=asking,
    )
    past = past_of(env)
    assert past is not None
    assert ("setup[0]",) == open_questions(asking, past)
    before = ran(env).count("setup[0]")
    ended = resume(said(env, setup_0=answer), asking)
    assert before + (answer == "again") == ran(ended).count("setup[0]")
    assert RunStatus.COMPLETED is ended.journal.state.status
