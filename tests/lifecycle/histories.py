"""Short ways to write histories in tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from anabranch.lifecycle import (
    Declared,
    Event,
    Merged,
    Moved,
    Payload,
    RunCreated,
    RunMoved,
    SubjectKind,
)
from anabranch.values import RunStatus, StepStatus

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
CREATED = RunCreated(run="r-1", workflow="w", digest="d", limits={"agents": 2, "gpu": 1})
BEGUN = RunMoved(to=RunStatus.RUNNING)
ENDED = RunMoved(to=RunStatus.COMPLETED)

Q, R, V, C = StepStatus.QUEUED, StepStatus.RUNNING, StepStatus.VALIDATING, StepStatus.COMPLETED
F, T, X, S = StepStatus.FAILED, StepStatus.TIMED_OUT, StepStatus.CANCELLED, StepStatus.SKIPPED
AGAIN = StepStatus.RETRYING


def history(*payloads: Payload) -> list[Event]:
    """Payloads as events, a second apart, each caused by the one before."""
    return [
        Event(n, NOON + timedelta(seconds=n), payload, n - 1 or None)
        for n, payload in enumerate(payloads, start=1)
    ]


def uncaused(*payloads: Payload) -> list[Event]:
    """Payloads as events without causes."""
    return [Event(e.sequence, e.time, e.payload) for e in history(*payloads)]


def moves(subject: str, *statuses: StepStatus) -> list[Moved]:
    """Transitions, each start with the next attempt's number."""
    attempts = [statuses[: n + 1].count(R) for n in range(len(statuses))]
    return [
        Moved(subject=subject, to=status, attempt=attempt, worker="w-0")
        if status is R
        else Moved(subject=subject, to=status)
        for status, attempt in zip(statuses, attempts, strict=True)
    ]


def agent(name: str, *, merges: bool = False, needs: tuple[str, ...] = ()) -> Declared:
    return Declared(subject=name, kind=SubjectKind.AGENT, merges=merges, needs=needs)


def merged(name: str) -> Merged:
    return Merged(subject=name, target="run", before="c0", commit="c1")
