from __future__ import annotations

import pytest

from anabranch.cli.output import Output
from anabranch.cli.progress import Progress
from anabranch.lifecycle import Declared, Event, PhaseStarted, RunMoved, fold
from anabranch.values import RunStatus
from tests.lifecycle.histories import BEGUN, CREATED, C, F, Q, R, V, agent, history, moves

INSIDE = Declared(subject="agent-0/step[0]", parent="agent-0")
HISTORY = history(
    CREATED,
    BEGUN,
    Declared(subject="setup[0]", label="make"),
    *moves("setup[0]", Q, R, V, C),
    PhaseStarted(phase="map"),
    agent("agent-0", merges=True),
    agent("agent-1", merges=True),
    *moves("agent-0", Q, R),
    INSIDE,
    *moves("agent-0/step[0]", Q, R, V, C),
    *moves("agent-0", V, C),
    *moves("agent-1", Q, R, F),
)
LINES = ["run r-1 of w", "  ✓ make", "map …", "  ✓ agent-0", "  ✗ agent-1"]


def shown(progress: Progress, events: list[Event], capsys: pytest.CaptureFixture[str]) -> list[str]:
    for event in events:
        progress.take(event)
    return capsys.readouterr().err.splitlines()


def test_every_outermost_step_or_agent_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert LINES == shown(Progress(Output()), HISTORY, capsys)


@pytest.mark.parametrize("cut", range(2, len(HISTORY)))
def test_a_run_with_a_past_is_told_from_there_on(
    cut: int, capsys: pytest.CaptureFixture[str]
) -> None:
    before = shown(Progress(Output()), HISTORY[:cut], capsys)
    progress = Progress(Output())
    progress.begin(fold(HISTORY[:cut]))
    assert LINES == before + shown(progress, HISTORY[cut:], capsys)
    assert fold(HISTORY) == progress.state


def test_the_state_is_the_fold_of_what_was_told_so_far() -> None:
    progress = Progress(Output())
    seen: list[Event] = []
    for event in HISTORY:
        seen.append(event)
        progress.take(event)
        assert fold(seen) == progress.state


def test_a_run_that_goes_on_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    first, resumed = history(CREATED, RunMoved(to=RunStatus.RUNNING, reason="resumed"))
    progress = Progress(Output())
    progress.begin(fold([first]))
    assert ["run r-1 resumed"] == shown(progress, [resumed], capsys)
