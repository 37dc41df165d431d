"""Figures of a run: a fold of its state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from math import ceil

from attrs import frozen

from anabranch.lifecycle.events import Moved, SubjectKind
from anabranch.lifecycle.state import RunState
from anabranch.lifecycle.subjects import Subject
from anabranch.values import StepStatus


@frozen(kw_only=True)
class Spread:
    """How a number of durations lie. All zero if there are none.

    Attributes:
        count: how many.
        total: their sum.
        least, median, p95, most: order statistics (nearest rank).
    """

    count: int
    total: timedelta
    least: timedelta
    median: timedelta
    p95: timedelta
    most: timedelta


@frozen(kw_only=True)
class Metrics:
    """Figures of a run.

    Attributes:
        agents, steps: from first start to end, of those that have ended. Steps are all of
            them, also those inside of agents.
        waiting: from queued to running, of every start.
        starts: how often something was started.
        retries: how often something failed and was tried again.
        merges, conflicts: merges done, and refused.
        commits, insertions, deletions: what was committed in working trees; what the steps of
            an agent committed counts once, with the agent.
        processor: time that commands used of processors.
        memory_bytes: the peak of the largest process among them.
        cost_usd, input_tokens, output_tokens: what agents said they cost.
    """

    agents: Spread
    steps: Spread
    waiting: Spread
    starts: int
    retries: int
    merges: int
    conflicts: int
    commits: int
    insertions: int
    deletions: int
    processor: timedelta
    memory_bytes: int
    cost_usd: float
    input_tokens: int
    output_tokens: int


def measure(state: RunState) -> Metrics:
    """The figures of a run so far."""
    subjects = tuple(state.subjects.values())
    works = tuple(subject.work for subject in subjects)
    tops = (subject for subject in subjects if subject.declared.parent is None)
    commits = tuple(commit for top in tops for commit in top.work.commits)
    moves = tuple(_moves(subject) for subject in subjects)
    return Metrics(
        agents=spread(_lives(subjects, SubjectKind.AGENT)),
        steps=spread(_lives(subjects, SubjectKind.STEP)),
        waiting=spread(wait for subject in subjects for wait in _waits(subject)),
        starts=sum(to is StepStatus.RUNNING for story in moves for to in story),
        retries=sum(to is StepStatus.RETRYING for story in moves for to in story),
        merges=sum(work.merged is not None for work in works),
        conflicts=sum(work.conflict is not None for work in works),
        commits=len(commits),
        insertions=sum(commit.insertions for commit in commits),
        deletions=sum(commit.deletions for commit in commits),
        processor=sum((work.processor for work in works), timedelta()),
        memory_bytes=max((work.memory_bytes for work in works), default=0),
        cost_usd=sum(work.cost_usd for work in works),
        input_tokens=sum(work.input_tokens for work in works),
        output_tokens=sum(work.output_tokens for work in works),
    )


def spread(durations: Iterable[timedelta]) -> Spread:
    """How these durations lie.

    >>> spread(timedelta(seconds=n) for n in (4, 1, 9)).median
    datetime.timedelta(seconds=4)
    """
    found = sorted(durations)
    ranked = found or [timedelta()]
    return Spread(
        count=len(found),
        total=sum(ranked, timedelta()),
        least=ranked[0],
        median=_rank(ranked, 0.5),
        p95=_rank(ranked, 0.95),
        most=ranked[-1],
    )


def _rank(ranked: Sequence[timedelta], share: float) -> timedelta:
    return ranked[max(ceil(share * len(ranked)), 1) - 1]


def _lives(subjects: Iterable[Subject], kind: SubjectKind) -> Iterable[timedelta]:
    for subject in subjects:
        started, ended = subject.started_at, subject.ended_at
        if subject.declared.kind is kind and started is not None and ended is not None:
            yield ended - started


def _moves(subject: Subject) -> tuple[StepStatus, ...]:
    return tuple(e.payload.to for e in subject.story if isinstance(e.payload, Moved))


def _waits(subject: Subject) -> Iterable[timedelta]:
    queued_at = subject.created_at
    for event in subject.story:
        if isinstance(event.payload, Moved):
            if event.payload.to is StepStatus.QUEUED:
                queued_at = event.time
            if event.payload.to is StepStatus.RUNNING:
                yield event.time - queued_at
