"""Stories: what happened to one step, one agent or the run, as people read it."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import fields

from anabranch.lifecycle.events import (
    Declared,
    Event,
    Moved,
    Payload,
    PhaseEnded,
    RunCreated,
    RunMoved,
)
from anabranch.lifecycle.transitions import RUN_TRANSITIONS, STEP_TRANSITIONS
from anabranch.values import AnabranchError, Masked, Problem, RunStatus, StepStatus, shortened

_WIDTH = 60


def subject_of(payload: Payload) -> str | None:
    """The step or agent that a payload is about; `None` if it is about the run."""
    subject: str | None = getattr(payload, "subject", None)
    return subject


def describe(payload: Payload) -> str:
    """One payload in one line, without its subject and without what it leaves out.

    >>> describe(Moved(subject="agent-0", to=StepStatus.RUNNING, attempt=1, worker="local-3"))
    'moved to=running attempt=1 worker=local-3'
    """
    values = {f.name: (getattr(payload, f.name), f.default) for f in fields(type(payload))}
    said = {name: value for name, (value, default) in values.items() if value not in (default, {})}
    said.pop("subject", None)
    return " ".join([type_name(type(payload)), *(f"{k}={_short(v)}" for k, v in said.items())])


def _short(value: object) -> str:
    """A value that fits into the line and cannot steer a terminal."""
    cut = shortened(Masked(str(value)), _WIDTH)  # what is in a journal has been masked
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in cut)


def type_name(kind: type[Payload]) -> str:
    """The name of a kind of payload, as the journal writes it.

    >>> type_name(RunCreated)
    'run_created'
    """
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__).lstrip("_")


def tell(events: Sequence[Event]) -> str:
    """Events as a story: a line each, with the time since the first.

    >>> from datetime import UTC, datetime
    >>> noon = datetime(2026, 3, 14, 12, tzinfo=UTC)
    >>> print(tell([Event(7, noon, Moved(subject="a", to=StepStatus.QUEUED), cause=3)]))
         7   +0.000s  moved to=queued  (because of 3)
    """
    return "\n".join(_line(event, events[0]) for event in events)


def _line(event: Event, first: Event) -> str:
    since = (event.time - first.time).total_seconds()
    because = "" if event.cause is None else f"  (because of {event.cause})"
    return f"{event.sequence:6} {since:+8.3f}s  {describe(event.payload)}{because}"


class InvalidTransition(AnabranchError):  # noqa: N818 (the field's own name for it)
    """An event that the transition tables do not allow.

    Attributes:
        event: what was refused.
        story: everything that brought the subject to where it stands, oldest first;
            empty if it was never declared.
    """

    def __init__(self, event: Event, story: Sequence[Event]) -> None:
        self.event = event
        self.story = tuple(story)
        super().__init__(_problem(event, self.story))


def _problem(event: Event, story: tuple[Event, ...]) -> Problem:
    name = subject_of(event.payload) or "the run"
    before = tell(story) if story else "     (nothing)"
    refused = tell([*story, event]).splitlines()[-1]
    return Problem(
        code="invalid-transition",
        message=f"{name}: {_why(event.payload, story)}\n{before}\n  refused:\n{refused}",
        expected=_expected(event.payload, story),
    )


def _why(payload: Payload, story: tuple[Event, ...]) -> str:
    match payload:
        case Moved() | RunMoved() if story:
            return f"{_status(story)} → {payload.to} is not a legal transition"
        case Declared() | RunCreated() if story:
            return "declared a second time"
        case Declared():
            return f"{payload.parent}, which it runs inside of, was never declared"
        case PhaseEnded():
            return f"phase {payload.phase} never began"
        case _:
            return "was never declared"


def _status(story: tuple[Event, ...]) -> StepStatus | RunStatus:
    for event in reversed(story):
        if isinstance(event.payload, Moved | RunMoved):
            return event.payload.to
    return RunStatus.PENDING if isinstance(story[0].payload, RunCreated) else StepStatus.PENDING


def _expected(payload: Payload, story: tuple[Event, ...]) -> str | None:
    if not story or not isinstance(payload, Moved | RunMoved):
        return None
    status = _status(story)
    exits = RUN_TRANSITIONS[status] if isinstance(status, RunStatus) else STEP_TRANSITIONS[status]
    return ", ".join(sorted(exits)) or f"nothing: {status} is an end"
