"""The dead-letter queue: what failed, how often and why. A fold of a run's state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from attrs import frozen

from anabranch.lifecycle.events import Moved
from anabranch.lifecycle.state import RunState
from anabranch.lifecycle.subjects import Subject
from anabranch.lifecycle.summary import summarise
from anabranch.values import Json, StepStatus


@frozen(kw_only=True)
class Attempt:
    """One time that a failed item was tried.

    Attributes:
        number: from 1.
        started_at: when it began.
        ended_at: when it left off; `None` if nobody knows.
        error: what was said then.
    """

    number: int
    started_at: datetime
    ended_at: datetime | None
    error: str | None


@frozen(kw_only=True)
class Letter:
    """An item that failed and was put aside.

    Attributes:
        subject, label, item: the agent, what to call it, and what it was to do.
        signature: alike for alike failures.
        message: the error.
        at: the step where it happened; the agent itself if it was none.
        exit_code, tail, log: of the command that failed, if one did.
        conflicts: files that could not be merged.
        branch: where its work is kept, if there is any.
        attempts: its history, oldest first.
    """

    subject: str
    label: str
    item: Json
    signature: str
    message: str | None
    at: str
    exit_code: int | None
    tail: str
    log: str | None
    conflicts: tuple[str, ...]
    branch: str | None
    attempts: tuple[Attempt, ...]


def dead_letters(state: RunState) -> tuple[Letter, ...]:
    """What lies in the dead-letter queue of a run, in the order of the items."""
    failures = {failed.subject: failed for failed in summarise(state).failed}
    return tuple(
        Letter(
            subject=name,
            label=subject.declared.label or name,
            item=subject.declared.item,
            signature=subject.work.letter.signature,
            message=subject.work.letter.message,
            at=failures[name].at,
            exit_code=failures[name].exit_code,
            tail=failures[name].tail,
            log=failures[name].log,
            conflicts=failures[name].conflicts,
            branch=subject.work.letter.branch,
            attempts=tuple(_attempts(subject)),
        )
        for name, subject in state.subjects.items()
        if subject.work.letter is not None and name in failures
    )


def _attempts(subject: Subject) -> Iterator[Attempt]:
    begun: tuple[int, datetime] | None = None
    for event in subject.story:
        match event.payload:
            case Moved(to=StepStatus.RUNNING, attempt=number):
                begun = number or 1, event.time
            case Moved(message=message) if begun is not None:
                if event.payload.to is not StepStatus.VALIDATING:
                    number, at = begun
                    yield Attempt(number=number, started_at=at, ended_at=event.time, error=message)
                    begun = None
            case _:
                pass
    if begun is not None:
        yield Attempt(number=begun[0], started_at=begun[1], ended_at=None, error=None)
