"""A journal as the laws look at it, and what they find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

from attrs import frozen

from anabranch.lifecycle.events import Declared, Event, Moved, RunCreated
from anabranch.lifecycle.story import subject_of
from anabranch.values import StepStatus


class Law(IntEnum):
    """The laws, by number.

    1. Terminal states have no exits; every transition is in the table.
    2. The state is the fold of the journal, whose events are numbered without a gap.
    3. What started had every dependency done.
    4. Attempts never exceed the maximum, and their number never goes down.
    5. No more than *limit* run at a time.
    6. The failure of one item changes nothing about another's.
    7. A worker is known exactly while something runs, and time does not go backwards.
    8. What completed is merged exactly once, and nothing that failed is merged.
    """

    TRANSITIONS = 1
    FOLD = 2
    DEPENDENCIES = 3
    ATTEMPTS = 4
    LIMITS = 5
    INDEPENDENCE = 6
    TIMES = 7
    MERGES = 8


@frozen(kw_only=True)
class Violation:
    """A law that a journal breaks.

    Attributes:
        law: which one.
        sequence: of the event that breaks it.
        subject: the step or agent; `None` for the run.
        message: how.
    """

    law: Law
    sequence: int
    subject: str | None
    message: str

    def __str__(self) -> str:
        """The violation in one line."""
        name = self.subject or "the run"
        return f"event {self.sequence}: {name} {self.message} (law {self.law}, {self.law.name})"


@frozen
class Turn:
    """One transition of a subject, and where it came from.

    Attributes:
        event, moved: the transition.
        before: the transition before it; `None` if there is none, and the status is `pending`.
    """

    event: Event
    moved: Moved
    before: Moved | None

    @property
    def status(self) -> StepStatus:
        """The status it came from."""
        return StepStatus.PENDING if self.before is None else self.before.to


@frozen(kw_only=True)
class History:
    """A journal, and what the laws look up in it.

    Attributes:
        events: all of them.
        created: how the run was created, if it was.
        declared: the first declaration of each subject.
        turns: every transition of a subject, in the journal's order.
        last: the last transition of each subject.
    """

    events: Sequence[Event]
    created: RunCreated | None
    declared: Mapping[str, Declared]
    turns: Sequence[Turn]
    last: Mapping[str, Moved]


def read(events: Sequence[Event]) -> History:
    """Look a journal through once."""
    created: RunCreated | None = None
    declared: dict[str, Declared] = {}
    turns: list[Turn] = []
    last: dict[str, Moved] = {}
    for event in events:
        match event.payload:
            case Moved() as moved:
                turns.append(Turn(event, moved, last.get(moved.subject)))
                last[moved.subject] = moved
            case Declared() as declaration:
                declared.setdefault(declaration.subject, declaration)
            case RunCreated() as creation:
                created = created or creation
            case _:
                pass
    return History(events=events, created=created, declared=declared, turns=turns, last=last)


def breach(law: Law, event: Event, message: str) -> Violation:
    """The violation of a law by one event, of the subject that the event is about."""
    subject = subject_of(event.payload)
    return Violation(law=law, sequence=event.sequence, subject=subject, message=message)
