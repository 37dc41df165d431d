"""One step or agent: where it stands, and what it did. Both are folds of its story."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from attrs import evolve, field, frozen

from anabranch.lifecycle.events import (
    CommandEnded,
    CommandStarted,
    Committed,
    DeadLettered,
    DeadLetterResolved,
    Declared,
    DoubtSettled,
    Event,
    Merged,
    MergeFailed,
    MergeStarted,
    Moved,
    OutputRecorded,
    Payload,
    Spent,
    WorktreeCreated,
    WorktreeRemoved,
)
from anabranch.lifecycle.transitions import STEP_TERMINAL
from anabranch.values import Json, StepStatus


@frozen(kw_only=True)
class Work:
    """What a subject did to the world.

    Attributes:
        in_doubt: commands that were begun and have not ended.
        last: how the last command ended.
        verdict: what somebody said becomes of it, if nobody knew whether it was done.
        outputs: values for later steps, by name.
        worktree: its working tree, while it has one.
        commits: what it committed, oldest first.
        merging: a merge that was begun and has not ended.
        merged, conflict: how the merge ended.
        letter: why it lies in the dead-letter queue; `None` if it does not, or no longer.
        processor: time that its commands used of processors.
        memory_bytes: the peak of the largest process among them.
        cost_usd, input_tokens, output_tokens: what it cost so far.
        session: what to resume its agent by, if that said so.
    """

    in_doubt: tuple[CommandStarted, ...] = ()
    last: CommandEnded | None = None
    verdict: str | None = None
    outputs: Mapping[str, Json] = field(factory=dict[str, Json])
    worktree: WorktreeCreated | None = None
    commits: tuple[Committed, ...] = ()
    merging: MergeStarted | None = None
    merged: Merged | None = None
    conflict: MergeFailed | None = None
    letter: DeadLettered | None = None
    processor: timedelta = timedelta()
    memory_bytes: int = 0
    cost_usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    session: str | None = None


_NO_WORK: Final = Work()


@frozen(kw_only=True)
class Subject:
    """Where one step or agent stands.

    Attributes:
        declared: what it was declared to be.
        status: where it stands.
        attempt: the number of its last attempt; 0 before the first.
        worker: who does it, exactly while it is running.
        created_at, started_at, ended_at: declared, first started, at its end.
        moved, moved_at: its last transition; `None` and its declaration before the first.
        story: everything that happened to it, oldest first.
    """

    declared: Declared
    status: StepStatus
    attempt: int
    worker: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    moved: Moved | None
    moved_at: datetime
    story: tuple[Event, ...]

    @cached_property
    def work(self) -> Work:
        """What it did to the world. Made from the story when it is first asked for."""
        return work_of(self.story)


def declared(event: Event, declaration: Declared) -> Subject:
    """A subject at its declaration."""
    return Subject(
        declared=declaration,
        status=StepStatus.PENDING,
        attempt=0,
        worker=None,
        created_at=event.time,
        started_at=None,
        ended_at=None,
        moved=None,
        moved_at=event.time,
        story=(event,),
    )


def grown(subject: Subject, events: Sequence[Event]) -> Subject:
    """A subject after more of its events."""
    status, attempt, worker = subject.status, subject.attempt, subject.worker
    started_at, ended_at = subject.started_at, subject.ended_at
    moved, moved_at = subject.moved, subject.moved_at
    for event in events:
        if not isinstance(event.payload, Moved):
            continue
        moved, moved_at = event.payload, event.time
        status, worker = moved.to, None
        if status is StepStatus.RUNNING:
            worker, attempt = moved.worker, moved.attempt or attempt
            started_at = started_at or event.time
        elif status in STEP_TERMINAL:
            ended_at = event.time
    return Subject(
        declared=subject.declared,
        status=status,
        attempt=attempt,
        worker=worker,
        created_at=subject.created_at,
        started_at=started_at,
        ended_at=ended_at,
        moved=moved,
        moved_at=moved_at,
        story=(*subject.story, *events),
    )


def work_of(story: Iterable[Event]) -> Work:
    """What a subject did to the world, from everything that happened to it."""
    work = _NO_WORK
    for event in story:
        work = _work(work, event.payload)
    return work


def _work(work: Work, payload: Payload) -> Work:
    match payload:
        case CommandStarted():
            return evolve(work, in_doubt=(*work.in_doubt, payload))
        case CommandEnded():
            return _ended(work, payload)
        case OutputRecorded():
            return evolve(work, outputs={**work.outputs, payload.name: payload.value})
        case Spent():
            return _spend(work, payload)
        case DoubtSettled() | DeadLettered() | DeadLetterResolved():
            return _judge(work, payload)
        case _:
            return _git_work(work, payload)


def _judge(work: Work, payload: DoubtSettled | DeadLettered | DeadLetterResolved) -> Work:
    if isinstance(payload, DoubtSettled):
        return evolve(work, verdict=payload.verdict)
    return evolve(work, letter=payload if isinstance(payload, DeadLettered) else None)


def _git_work(work: Work, payload: Payload) -> Work:
    match payload:
        case WorktreeCreated() | WorktreeRemoved():
            worktree = payload if isinstance(payload, WorktreeCreated) else None
            return evolve(work, worktree=worktree)
        case Committed():
            return evolve(work, commits=(*work.commits, payload))
        case MergeStarted():
            return evolve(work, merging=payload)
        case Merged():
            return evolve(work, merging=None, merged=payload)
        case MergeFailed():
            return evolve(work, merging=None, conflict=payload)
        case _:
            return work


def _ended(work: Work, ended: CommandEnded) -> Work:
    return evolve(
        work,
        in_doubt=tuple(c for c in work.in_doubt if c.index != ended.index),
        last=ended,
        processor=work.processor + ended.user + ended.system,
        memory_bytes=max(work.memory_bytes, ended.memory_bytes),
    )


def _spend(work: Work, spent: Spent) -> Work:
    return evolve(
        work,
        cost_usd=work.cost_usd + spent.cost_usd,
        input_tokens=work.input_tokens + spent.input_tokens,
        output_tokens=work.output_tokens + spent.output_tokens,
        session=spent.session or work.session,
    )
