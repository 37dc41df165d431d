"""The dead-letter queue: what failed, how often and why. A fold of a run's state."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from attrs import frozen

from anabranch.lifecycle.events import CommandEnded, Moved
from anabranch.lifecycle.state import RunState
from anabranch.lifecycle.subjects import Subject
from anabranch.lifecycle.summary import summarise
from anabranch.values import Json, StepStatus

_VARYING: Final = re.compile(
    r"(?:[\w.~-]*/)+[\w.@+-]*"  # paths
    r"|\b[\w-]+\.[a-z]{1,4}\b"  # names of files
    r"|\b[0-9a-f]{7,64}\b"  # commits, checksums
    r"|\d+(?:\.\d+)*"
)


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


def by_signature(letters: Iterable[Letter]) -> Mapping[str, tuple[Letter, ...]]:
    """The same letters, those with like failures together, the largest group first."""
    found: dict[str, list[Letter]] = {}
    for letter in letters:
        found.setdefault(letter.signature, []).append(letter)
    ranked = sorted(found.items(), key=lambda group: -len(group[1]))
    return {signature: tuple(group) for signature, group in ranked}


def failure_signature(at: str, message: str, ended: CommandEnded | None = None) -> str:
    """A text that is alike for alike failures: what varies from item to item is left out.

    Args:
        at: where it happened, such as `step[1]`; empty if in no step.
        message: the error.
        ended: how the command ended that failed, if one did; its last line counts.

    >>> ended = CommandEnded(subject="s", exit_code=2, fault="exit", tail="no rule for /src/a.c")
    >>> failure_signature("step[0]", "`make a.o` ended with exit code 2", ended)
    'step[0]: exit code 2: no rule for #'
    """
    said = "" if ended is None else ended.tail.rstrip().rpartition("\n")[2]
    exited = ended is not None and ended.fault == "exit" and ended.exit_code
    what = f"exit code {exited}" if exited else _VARYING.sub("#", message)
    parts = (at, what, _VARYING.sub("#", said))
    return ": ".join(" ".join(part.split()) for part in parts if part.strip())


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
