"""One step or agent: where it stands, and what it did. Both are folds of its story."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from attrs import field, frozen

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
    done: dict[str, Any] = {}
    for event in story:
        _take_work(done, event.payload)
    return Work(**done) if done else _NO_WORK


def _take_work(done: dict[str, Any], payload: Payload) -> None:
    """Put what one event says into the fields of a `Work` that is being made."""
    match payload:
        case CommandStarted():
            done["in_doubt"] = (*done.get("in_doubt", ()), payload)
        case CommandEnded():
            _take_end(done, payload)
        case OutputRecorded():
            done["outputs"] = {**done.get("outputs", {}), payload.name: payload.value}
        case Spent():
            _take_cost(done, payload)
        case DoubtSettled():
            done["verdict"] = payload.verdict
        case DeadLettered() | DeadLetterResolved():
            done["letter"] = payload if isinstance(payload, DeadLettered) else None
        case _:
            _take_git_work(done, payload)


def _take_git_work(done: dict[str, Any], payload: Payload) -> None:
    match payload:
        case WorktreeCreated() | WorktreeRemoved():
            done["worktree"] = payload if isinstance(payload, WorktreeCreated) else None
        case Committed():
            done["commits"] = (*done.get("commits", ()), payload)
        case MergeStarted():
            done["merging"] = payload
        case Merged():
            done.update(merging=None, merged=payload)
        case MergeFailed():
            done.update(merging=None, conflict=payload)
        case _:
            pass


def _take_end(done: dict[str, Any], ended: CommandEnded) -> None:
    begun: Sequence[CommandStarted] = done.get("in_doubt", ())
    done["in_doubt"] = tuple(c for c in begun if c.index != ended.index)
    done["last"] = ended
    done["processor"] = done.get("processor", timedelta()) + ended.user + ended.system
    done["memory_bytes"] = max(done.get("memory_bytes", 0), ended.memory_bytes)


def _take_cost(done: dict[str, Any], spent: Spent) -> None:
    for name in ("cost_usd", "input_tokens", "output_tokens"):
        done[name] = done.get(name, 0) + getattr(spent, name)
    done["session"] = spent.session or done.get("session")
