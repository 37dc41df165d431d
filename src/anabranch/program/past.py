"""What the journal of a dead process says of a step or an agent. Pure.

A process that dies writes nothing, so what was in flight still says `running`. Whoever takes
the run up decides from here what that means, and says so with ordinary transitions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import dropwhile
from typing import TypeVar

from anabranch.environment import Oid
from anabranch.lifecycle import (
    CONDITION_FALSE,
    INTERRUPTED,
    STEP_TERMINAL,
    Committed,
    Moved,
    Payload,
    Subject,
    Work,
    WorktreeCreated,
    work_of,
)
from anabranch.values import StepStatus

P = TypeVar("P", bound=Payload)


class Standing(StrEnum):
    """How far a step or an agent had come.

    `unbegun`: it may start. `doubtful`: it was begun, and nobody knows how it ended. `worked`:
    its work is done, and what follows is not. `done`, `failed`: it has ended.
    """

    UNBEGUN = "unbegun"
    DOUBTFUL = "doubtful"
    WORKED = "worked"
    DONE = "done"
    FAILED = "failed"


def standing_of(subject: Subject | None) -> Standing:
    """How far a step or an agent had come; one that was never declared is `unbegun`."""
    match subject and subject.status:
        case None | StepStatus.PENDING | StepStatus.QUEUED | StepStatus.RETRYING:
            return Standing.UNBEGUN
        case StepStatus.RUNNING:
            return _running(subject)
        case StepStatus.VALIDATING:
            return Standing.WORKED
        case StepStatus.COMPLETED:
            return Standing.DONE
        case StepStatus.CANCELLED if _reason(subject) == INTERRUPTED:
            return Standing.DOUBTFUL
        case _:
            return Standing.DONE if _is_tolerated(subject) else Standing.FAILED


def _running(subject: Subject | None) -> Standing:
    """A command that was announced has ended, or is in doubt; one that was not never began."""
    assert subject is not None
    work = current_work(subject)
    if work.in_doubt or work.last is None:
        return Standing.DOUBTFUL
    succeeded = work.last.exit_code == 0 and work.last.fault is None
    return Standing.WORKED if succeeded else Standing.DOUBTFUL


def _is_tolerated(subject: Subject | None) -> bool:
    """Whether what comes after it goes on: it was left out, or may fail."""
    optional = subject is not None and subject.declared.optional
    return optional or _reason(subject) == CONDITION_FALSE


def _reason(subject: Subject | None) -> str | None:
    """Why it stands where it does. A step that was given up belongs to an attempt made again."""
    moved = None if subject is None else subject.moved
    return None if moved is None else moved.reason


def was_announced(subject: Subject) -> bool:
    """Whether a command may have run: what was never announced was never begun."""
    work = current_work(subject)
    return bool(work.in_doubt) or work.last is not None


def current_work(subject: Subject) -> Work:
    """What it did to the world since it was last started."""
    return work_of(dropwhile(lambda event: event.sequence < _started(subject), subject.story))


def _started(subject: Subject) -> int:
    """The sequence number of its last start; 0 if there is none."""
    starts = (
        event.sequence
        for event in subject.story
        if isinstance(event.payload, Moved) and event.payload.to is StepStatus.RUNNING
    )
    return max(starts, default=0)


def way_back(subject: Subject | None, name: str) -> list[Moved]:
    """The transitions that bring something into the queue, wherever it was left."""
    queued = Moved(subject=name, to=StepStatus.QUEUED)
    match subject and subject.status:
        case StepStatus.RUNNING:
            return [Moved(subject=name, to=StepStatus.RETRYING, reason=INTERRUPTED), queued]
        case StepStatus.QUEUED:
            return []
        case _:
            return [queued]


def next_attempt(subject: Subject | None) -> int:
    """The number of the next start: an attempt that was interrupted is made again."""
    if subject is None or subject.attempt == 0:
        return 1
    retrying = [m for m in moves_of(subject) if m.to is StepStatus.RETRYING]
    interrupted = bool(retrying) and retrying[-1].reason == INTERRUPTED
    same = subject.status is StepStatus.RUNNING or interrupted
    return subject.attempt if same else subject.attempt + 1


def takes_of(subject: Subject | None) -> int:
    """How often it was started."""
    if subject is None:
        return 0
    return sum(move.to is StepStatus.RUNNING for move in moves_of(subject))


def moves_of(subject: Subject) -> list[Moved]:
    """Its transitions, oldest first."""
    return told(subject, Moved)


def told(subject: Subject, kind: type[P]) -> list[P]:
    """Everything of one kind that was told of it, oldest first."""
    return [event.payload for event in subject.story if isinstance(event.payload, kind)]


def by_parent(subjects: Mapping[str, Subject]) -> Mapping[str, Sequence[Subject]]:
    """The steps that run inside of each agent that has any, in the order of their declaration."""
    found: dict[str, list[Subject]] = {}
    for subject in subjects.values():
        if subject.declared.parent is not None:
            found.setdefault(subject.declared.parent, []).append(subject)
    return found


def current_steps(steps: Iterable[Subject], agent: Subject) -> list[Subject]:
    """Of the steps inside of an agent, those that were declared since it was last started."""
    since = _started(agent)
    return [step for step in steps if step.story[0].sequence > since]


def closing(subject: Subject) -> list[Moved]:
    """The transitions that are left of something whose work is done."""
    name = subject.declared.subject
    validating = Moved(subject=name, to=StepStatus.VALIDATING)
    left = [validating] if subject.status is StepStatus.RUNNING else []
    return [*left, Moved(subject=name, to=StepStatus.COMPLETED)]


def given_up(subjects: Iterable[Subject]) -> list[Moved]:
    """The transitions that end what an attempt that is made again had begun."""
    return [
        Moved(subject=subject.declared.subject, to=StepStatus.CANCELLED, reason=INTERRUPTED)
        for subject in subjects
        if subject.status not in STEP_TERMINAL
    ]


def last_tree(subject: Subject) -> WorktreeCreated | None:
    """The last working tree that was made for it, also if it is gone by now."""
    trees = told(subject, WorktreeCreated)
    return trees[-1] if trees else None


def last_commit(subject: Subject) -> Oid | None:
    """What it committed at last; without a commit, where its last tree began."""
    tree, commits = last_tree(subject), told(subject, Committed)
    if commits:
        return Oid(commits[-1].commit)
    return None if tree is None or tree.base is None else Oid(tree.base)
