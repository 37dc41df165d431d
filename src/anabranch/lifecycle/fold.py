"""The fold: events in, state out.

`apply(state, event)` is the definition, and `fold(events)` is the same as applying one event
after the other. Both refuse what the transition tables do not allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TypeAlias, assert_never

from attrs import evolve

from anabranch.lifecycle.events import (
    Declared,
    Delivered,
    DeliveryStarted,
    Event,
    Moved,
    NotePayload,
    Opened,
    PhaseEnded,
    PhaseStarted,
    Redefined,
    RunCreated,
    RunMoved,
    StopRequested,
    SubjectPayload,
    Unrecognised,
)
from anabranch.lifecycle.state import EMPTY, Phase, RunState
from anabranch.lifecycle.story import InvalidTransition, subject_of
from anabranch.lifecycle.subjects import Subject, declared, grown
from anabranch.lifecycle.transitions import LIVE, RUN_TERMINAL, RUN_TRANSITIONS, STEP_TRANSITIONS
from anabranch.values import RunStatus, StepStatus


def fold(events: Iterable[Event], state: RunState = EMPTY) -> RunState:
    """The state after these events, going on from `state`.

    Raises:
        InvalidTransition: an event that the tables do not allow; it tells the whole story.
    """
    folding = Folding(state)
    for event in events:
        folding.take(event)
    return folding.state


def apply(state: RunState, event: Event) -> RunState:
    """The state after one more event.

    Raises:
        InvalidTransition: an event that the tables do not allow; it tells the whole story.
    """
    return fold((event,), state)


def replay(events: Iterable[Event], until: int | datetime) -> RunState:
    """The state of a run at a past moment.

    Args:
        events: its journal, from the first event.
        until: the last event to take, by its sequence number or by its time.
    """
    if isinstance(until, datetime):
        return fold(takewhile(lambda event: event.time <= until, events))
    return fold(takewhile(lambda event: event.sequence <= until, events))


class Folding:
    """A fold that goes on: for a journal that is being written, or followed.

    It is the one mutable thing here. What it hands out is frozen. An event costs a look at
    the table and one append; subjects are made when the state is asked for.
    """

    __slots__ = ("_last", "_new", "_run", "_status")

    def __init__(self, state: RunState = EMPTY) -> None:
        self._run = state
        self._last: Event | None = None
        self._new: dict[str, list[Event]] = {}
        self._status: dict[str, StepStatus] = {}

    @property
    def state(self) -> RunState:
        """The state now. Costs a copy of the dictionary of subjects."""
        if self._last is not None:
            subjects = dict(self._run.subjects)
            for name, events in self._new.items():
                subjects[name] = _joined(subjects.get(name), events)
            self._run = evolve(
                self._run,
                sequence=self._last.sequence,
                updated_at=self._last.time,
                subjects=subjects,
            )
            self._last = None
            self._new.clear()
            self._status.clear()
        return self._run

    def take_all(self, events: Sequence[Event]) -> None:
        """Go on by several events, or by none of them.

        Raises:
            InvalidTransition: an event that the tables do not allow; nothing has changed.
        """
        before = self._run, self._last
        taken: list[tuple[str | None, StepStatus | None]] = []
        try:
            for event in events:
                name = subject_of(event.payload)
                status = None if name is None else self._status.get(name)
                self.take(event)
                taken.append((name, status))
        except InvalidTransition:
            self._run, self._last = before
            for name, status in reversed(taken):
                self._untake(name, status)
            raise

    def take(self, event: Event) -> None:
        """Go on by one event.

        Raises:
            InvalidTransition: an event that the tables do not allow; nothing has changed.
        """
        match event.payload:
            case Opened() as payload:
                self._run = _open(self._run, payload, event, self._latest)
            case (
                RunCreated()
                | RunMoved()
                | Redefined()
                | StopRequested()
                | PhaseStarted()
                | PhaseEnded()
                | DeliveryStarted()
                | Delivered()
                | Unrecognised()
            ) as payload:
                self._run = _run_event(self._run, payload, event)
            case payload:
                self._take_subject(payload, event)
        self._last = event

    @property
    def _latest(self) -> datetime | None:
        """The time of the last event."""
        return self._run.updated_at if self._last is None else self._last.time

    def _take_subject(self, payload: SubjectPayload, event: Event) -> None:
        name = payload.subject
        status = self._status_of(name)
        if isinstance(payload, Declared):
            parent = payload.parent
            if status is not None or (parent is not None and self._status_of(parent) is None):
                raise InvalidTransition(event, self._story(name))
            self._status[name] = StepStatus.PENDING
        elif status is None:
            raise InvalidTransition(event, ())
        elif isinstance(payload, Moved):
            if payload.to not in STEP_TRANSITIONS[status]:
                raise InvalidTransition(event, self._story(name))
            self._status[name] = payload.to
        self._new.setdefault(name, []).append(event)

    def _status_of(self, name: str) -> StepStatus | None:
        status = self._status.get(name)
        if status is None:
            subject = self._run.subjects.get(name)
            return None if subject is None else subject.status
        return status

    def _story(self, name: str) -> tuple[Event, ...]:
        known = self._run.subjects.get(name)
        return (*(() if known is None else known.story), *self._new.get(name, ()))

    def _untake(self, name: str | None, status: StepStatus | None) -> None:
        if name is None:
            return
        self._new[name].pop()
        if not self._new[name]:
            del self._new[name]
        if status is None:
            self._status.pop(name, None)
        else:
            self._status[name] = status


def _joined(subject: Subject | None, events: Sequence[Event]) -> Subject:
    if subject is not None:
        return grown(subject, events)
    first, *rest = events
    assert isinstance(first.payload, Declared)
    return grown(declared(first, first.payload), rest)


# --- the run -----------------------------------------------------------------------------------


_Told: TypeAlias = NotePayload | RunCreated | RunMoved | PhaseStarted | PhaseEnded


def _run_event(state: RunState, payload: _Told, event: Event) -> RunState:
    match payload:
        case RunCreated():
            if state.created is not None:
                raise InvalidTransition(event, state.story)
            return evolve(state, created=payload, created_at=event.time, story=(event,))
        case RunMoved():
            return _move_run(state, payload, event)
        case PhaseStarted():
            return _begin_phase(state, payload.phase, event)
        case PhaseEnded():
            return _end_phase(state, payload, event)
        case _:
            return _note(state, payload)


def _open(state: RunState, opened: Opened, event: Event, latest: datetime | None) -> RunState:
    """A process that opens the journal of a run at work took over from one that had died."""
    away = timedelta()
    if state.status in LIVE and latest is not None:
        away = event.time - latest
    return evolve(
        state,
        opened=(*state.opened, opened),
        away=state.away + away,
        phases=_waited(state.phases, away),
    )


def _waited(phases: Mapping[str, Phase], away: timedelta) -> Mapping[str, Phase]:
    """Phases that are under way, after a time in which nobody worked on the run."""
    if not away:
        return phases
    return {
        name: phase if phase.ended_at else evolve(phase, away=phase.away + away)
        for name, phase in phases.items()
    }


def _note(state: RunState, payload: NotePayload) -> RunState:
    match payload:
        case Redefined():
            return _redefine(state, payload)
        case StopRequested():
            return evolve(state, stop=payload)
        case DeliveryStarted():
            return evolve(state, delivering=payload)
        case Delivered():
            return evolve(state, delivering=None, delivered=payload)
        case Unrecognised():
            return evolve(state, unrecognised=state.unrecognised | {payload.type})
        case _:
            assert_never(payload)


def _redefine(state: RunState, new: Redefined) -> RunState:
    if state.created is None:
        return state
    created = evolve(state.created, digest=new.digest, definition=new.definition)
    return evolve(state, created=created)


def _move_run(state: RunState, moved: RunMoved, event: Event) -> RunState:
    to = moved.to
    if state.created is None or to not in RUN_TRANSITIONS[state.status]:
        raise InvalidTransition(event, state.story)
    running = to is RunStatus.RUNNING
    goes_on = to in LIVE and state.status not in LIVE
    away = event.time - state.story[-1].time if goes_on else timedelta()
    return evolve(
        state,
        status=to,
        phases=_waited(state.phases, away),
        started_at=event.time if running and state.started_at is None else state.started_at,
        ended_at=event.time if to in RUN_TERMINAL else None,
        stop=None if running else state.stop,
        story=(*state.story, event),
    )


def _begin_phase(state: RunState, name: str, event: Event) -> RunState:
    before = state.phases.get(name)
    phase = (
        Phase(started_at=event.time) if before is None else evolve(before, ended_at=None, ok=None)
    )
    return evolve(state, phases={**state.phases, name: phase})


def _end_phase(state: RunState, ended: PhaseEnded, event: Event) -> RunState:
    before = state.phases.get(ended.phase)
    if before is None:
        raise InvalidTransition(event, state.story)
    phase = evolve(before, ended_at=event.time, ok=ended.ok)
    return evolve(state, phases={**state.phases, ended.phase: phase})
