"""The fold: events in, state out.

`apply(state, event)` is the definition, and `fold(events)` is the same as applying one event
after the other. Both refuse what the transition tables do not allow.

A fold keeps one working copy of the subjects and shares everything else, so a journal of n
events costs O(n); a single `apply` copies the dictionary of subjects once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from attrs import evolve

from anabranch.lifecycle.events import (
    CommandEnded,
    CommandStarted,
    Committed,
    DeadLettered,
    DeadLetterResolved,
    Declared,
    Delivered,
    DeliveryStarted,
    Event,
    GitPayload,
    Merged,
    MergeFailed,
    MergeStarted,
    Moved,
    NotePayload,
    Opened,
    OutputRecorded,
    PhaseEnded,
    PhaseStarted,
    RunCreated,
    RunMoved,
    RunPayload,
    Spent,
    StopRequested,
    SubjectPayload,
    Unrecognised,
    WorkPayload,
    WorktreeCreated,
    WorktreeRemoved,
)
from anabranch.lifecycle.state import EMPTY, NO_WORK, Phase, RunState, Subject, Work
from anabranch.lifecycle.story import InvalidTransition, subject_of
from anabranch.lifecycle.transitions import (
    RUN_TERMINAL,
    RUN_TRANSITIONS,
    STEP_TERMINAL,
    STEP_TRANSITIONS,
)
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


class Folding:
    """A fold that goes on: for a journal that is being written, or followed.

    It is the one mutable thing here. What it hands out is frozen.
    """

    __slots__ = ("_last", "_run", "_subjects")

    def __init__(self, state: RunState = EMPTY) -> None:
        self._run = state
        self._subjects = dict(state.subjects)
        self._last: Event | None = None

    @property
    def state(self) -> RunState:
        """The state now. Costs a copy of the dictionary of subjects."""
        if self._last is None:
            return self._run
        subjects = dict(self._subjects)
        return evolve(
            self._run,
            sequence=self._last.sequence,
            updated_at=self._last.time,
            subjects=subjects,
        )

    def take_all(self, events: Sequence[Event]) -> None:
        """Go on by several events, or by none of them.

        Raises:
            InvalidTransition: an event that the tables do not allow; nothing has changed.
        """
        names = [name for event in events if (name := subject_of(event.payload)) is not None]
        run, last = self._run, self._last
        before = {name: self._subjects.get(name) for name in names}
        try:
            for event in events:
                self.take(event)
        except InvalidTransition:
            self._run, self._last = run, last
            for name, subject in before.items():
                self._restore(name, subject)
            raise

    def take(self, event: Event) -> None:
        """Go on by one event.

        Raises:
            InvalidTransition: an event that the tables do not allow; nothing has changed.
        """
        subjects = self._subjects
        match event.payload:
            case Moved() as moved:
                subjects[moved.subject] = _move(self._known(moved, event), moved, event)
            case Declared() as declared:
                if declared.subject in subjects:
                    raise InvalidTransition(event, subjects[declared.subject].story)
                if declared.parent is not None and declared.parent not in subjects:
                    raise InvalidTransition(event, ())
                subjects[declared.subject] = _declare(declared, event)
            case (
                RunCreated()
                | RunMoved()
                | Opened()
                | StopRequested()
                | PhaseStarted()
                | PhaseEnded()
                | DeliveryStarted()
                | Delivered()
                | Unrecognised()
            ) as payload:
                self._run = _run_event(self._run, payload, event)
            case payload:
                subject = self._known(payload, event)
                work = _work(subject.work, payload)
                subjects[payload.subject] = evolve(subject, work=work)
        self._last = event

    def _restore(self, name: str, subject: Subject | None) -> None:
        if subject is None:
            self._subjects.pop(name, None)
        else:
            self._subjects[name] = subject

    def _known(self, payload: SubjectPayload, event: Event) -> Subject:
        try:
            return self._subjects[payload.subject]
        except KeyError:
            raise InvalidTransition(event, ()) from None


# --- subjects ----------------------------------------------------------------------------------


def _declare(declared: Declared, event: Event) -> Subject:
    return Subject(
        declared=declared,
        status=StepStatus.PENDING,
        attempt=0,
        worker=None,
        created_at=event.time,
        started_at=None,
        ended_at=None,
        story=(event,),
        work=NO_WORK,
    )


def _move(subject: Subject, moved: Moved, event: Event) -> Subject:
    to = moved.to
    if to not in STEP_TRANSITIONS[subject.status]:
        raise InvalidTransition(event, subject.story)
    running = to is StepStatus.RUNNING
    return Subject(
        declared=subject.declared,
        status=to,
        attempt=moved.attempt if running and moved.attempt is not None else subject.attempt,
        worker=moved.worker if running else None,
        created_at=subject.created_at,
        started_at=event.time if running and subject.started_at is None else subject.started_at,
        ended_at=event.time if to in STEP_TERMINAL else None,
        story=(*subject.story, event),
        work=subject.work,
    )


def _work(work: Work, payload: WorkPayload) -> Work:
    match payload:
        case CommandStarted():
            return evolve(work, in_doubt=(*work.in_doubt, payload))
        case CommandEnded():
            others = tuple(c for c in work.in_doubt if c.index != payload.index)
            return evolve(work, in_doubt=others, last=payload)
        case OutputRecorded():
            return evolve(work, outputs={**work.outputs, payload.name: payload.value})
        case Spent():
            return _spend(work, payload)
        case DeadLettered() | DeadLetterResolved():
            letter = payload if isinstance(payload, DeadLettered) else None
            return evolve(work, letter=letter)
        case _:
            return _git_work(work, payload)


def _git_work(work: Work, payload: GitPayload) -> Work:
    match payload:
        case WorktreeCreated():
            return evolve(work, worktree=payload)
        case WorktreeRemoved():
            return evolve(work, worktree=None)
        case Committed():
            return evolve(work, commits=(*work.commits, payload))
        case MergeStarted():
            return evolve(work, merging=payload)
        case Merged():
            return evolve(work, merging=None, merged=payload)
        case MergeFailed():
            return evolve(work, merging=None, conflict=payload)
        case _:
            assert_never(payload)


def _spend(work: Work, spent: Spent) -> Work:
    return evolve(
        work,
        cost_usd=work.cost_usd + spent.cost_usd,
        input_tokens=work.input_tokens + spent.input_tokens,
        output_tokens=work.output_tokens + spent.output_tokens,
    )


# --- the run -----------------------------------------------------------------------------------


def _run_event(state: RunState, payload: RunPayload, event: Event) -> RunState:
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


def _note(state: RunState, payload: NotePayload) -> RunState:
    match payload:
        case Opened():
            return evolve(state, opened=(*state.opened, payload))
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


def _move_run(state: RunState, moved: RunMoved, event: Event) -> RunState:
    to = moved.to
    if state.created is None or to not in RUN_TRANSITIONS[state.status]:
        raise InvalidTransition(event, state.story)
    running = to is RunStatus.RUNNING
    return evolve(
        state,
        status=to,
        started_at=event.time if running and state.started_at is None else state.started_at,
        ended_at=event.time if to in RUN_TERMINAL else None,
        stop=None if running else state.stop,
        story=(*state.story, event),
    )


def _begin_phase(state: RunState, name: str, event: Event) -> RunState:
    before = state.phases.get(name)
    phase = Phase(started_at=event.time if before is None else before.started_at)
    return evolve(state, phases={**state.phases, name: phase})


def _end_phase(state: RunState, ended: PhaseEnded, event: Event) -> RunState:
    before = state.phases.get(ended.phase)
    if before is None:
        raise InvalidTransition(event, state.story)
    phase = evolve(before, ended_at=event.time, ok=ended.ok)
    return evolve(state, phases={**state.phases, ended.phase: phase})
