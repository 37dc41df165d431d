from __future__ import annotations

from datetime import timedelta

from anabranch.lifecycle import CommandEnded, CommandStarted, Declared, Payload, fold
from anabranch.lifecycle.durations import step_durations
from anabranch.values import StepStatus
from tests.lifecycle.histories import AGAIN, C, F, Q, R, V, agent, history, moves


def step(name: str, label: str, *ends: int) -> list[Payload]:
    """A step of agents that fails until its last command, each of so many seconds."""
    found: list[Payload] = [Declared(subject=name, label=label, phase="map")]
    statuses: list[StepStatus] = []
    for _ in ends[1:]:
        statuses += [Q, R, AGAIN]
    told = moves(name, *statuses, Q, R)
    for moved in told:
        found.append(moved)
        if moved.to is R:
            took = timedelta(seconds=ends[(moved.attempt or 1) - 1])
            found.append(CommandStarted(subject=name, command=label))
            found.append(CommandEnded(subject=name, exit_code=0, duration=took))
    return found


def test_what_the_last_command_of_completed_steps_took_is_told_by_phase_and_label() -> None:
    state = fold(
        history(
            agent("agent-0"),
            *step("agent-0/step[0]", "make", 4),
            *moves("agent-0/step[0]", V, C),
            *step("agent-1/step[0]", "make", 90, 6),
            *moves("agent-1/step[0]", V, C),
            *step("agent-1/step[1]", "test", 7),
            *moves("agent-1/step[1]", F),
            *step("agent-2/step[1]", "test", 8),
            Declared(subject="setup[0]", label="list", phase="setup"),
        )
    )
    assert {("map", "make"): [timedelta(seconds=4), timedelta(seconds=6)]} == step_durations(state)
