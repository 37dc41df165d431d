"""The laws of a run, each as a function from a history to what breaks it.

A law is stated over the events alone, without the fold, so that it says something about
journals that the fold would refuse, and about the fold itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Final

from anabranch.lifecycle.events import (
    CONDITION_FALSE,
    INTERRUPTED,
    Declared,
    Event,
    Moved,
    PhaseEnded,
    PhaseStarted,
    RunCreated,
    RunMoved,
    SubjectKind,
)
from anabranch.lifecycle.history import History, Law, Turn, Violation, breach
from anabranch.lifecycle.item_laws import independence, merges
from anabranch.lifecycle.story import subject_of
from anabranch.lifecycle.transitions import (
    RUN_TERMINAL,
    RUN_TRANSITIONS,
    STEP_TERMINAL,
    STEP_TRANSITIONS,
)
from anabranch.values import RunStatus, StepStatus
from anabranch.workflow import AGENT_POOL

# --- 1: transitions ----------------------------------------------------------------------------


def transitions(history: History) -> Iterator[Violation]:
    """Every transition is in the table, of something declared once, in a run that is not over."""
    yield from _subject_transitions(history)
    yield from _run_transitions(history)
    yield from _declarations(history)
    yield from _beginnings(history)


def _subject_transitions(history: History) -> Iterator[Violation]:
    for turn in history.turns:
        if turn.moved.to not in STEP_TRANSITIONS[turn.status]:
            message = f"went from {turn.status} to {turn.moved.to}"
            yield breach(Law.TRANSITIONS, turn.event, message)


def _run_transitions(history: History) -> Iterator[Violation]:
    status = RunStatus.PENDING
    for event in history.events:
        match event.payload:
            case RunMoved(to=to):
                if to not in RUN_TRANSITIONS[status]:
                    yield breach(Law.TRANSITIONS, event, f"went from {status} to {to}")
                status = to
                if status in RUN_TERMINAL:
                    yield from _left_over(history, event)
            case Moved(to=to) if status in RUN_TERMINAL:
                yield breach(Law.TRANSITIONS, event, f"went to {to} after the run's end")
            case _:
                pass


def _left_over(history: History, end: Event) -> Iterator[Violation]:
    for name in history.declared:
        moved = history.last.get(name)
        if moved is None or moved.to not in STEP_TERMINAL:
            message = "was not at its end when the run was"
            yield Violation(
                law=Law.TRANSITIONS, sequence=end.sequence, subject=name, message=message
            )


def _declarations(history: History) -> Iterator[Violation]:
    seen: set[str] = set()
    for event in history.events:
        name = subject_of(event.payload)
        if name is None:
            continue
        if isinstance(event.payload, Declared):
            if name in seen:
                yield breach(Law.TRANSITIONS, event, "was declared a second time")
            parent = event.payload.parent
            if parent is not None and parent not in seen:
                message = f"runs inside of {parent}, which was not declared before it"
                yield breach(Law.TRANSITIONS, event, message)
            seen.add(name)
        elif name not in seen:
            yield breach(Law.TRANSITIONS, event, "was not declared before this")


def _beginnings(history: History) -> Iterator[Violation]:
    created = False
    phases: set[str] = set()
    for event in history.events:
        match event.payload:
            case RunCreated():
                if created:
                    yield breach(Law.TRANSITIONS, event, "was created a second time")
                created = True
            case RunMoved() if not created:
                yield breach(Law.TRANSITIONS, event, "was not created before this")
            case PhaseStarted(phase=phase):
                phases.add(phase)
            case PhaseEnded(phase=phase) if phase not in phases:
                yield breach(Law.TRANSITIONS, event, f"ended phase {phase}, which never began")
            case _:
                pass


# --- 2: the fold -------------------------------------------------------------------------------


def numbering(history: History) -> Iterator[Violation]:
    """Events are numbered 1, 2, 3…, and causes come before what they lead to."""
    for expected, event in enumerate(history.events, start=1):
        if event.sequence != expected:
            yield breach(Law.FOLD, event, f"stands where event {expected} should")
            return
        if event.cause is not None and not 0 < event.cause < event.sequence:
            yield breach(Law.FOLD, event, f"has a cause that is not before it: {event.cause}")


# --- 3: dependencies ---------------------------------------------------------------------------


def dependencies(history: History) -> Iterator[Violation]:
    """When a subject starts, everything it needs is done, or its failure is tolerated."""
    done: set[str] = set()
    for turn in history.turns:
        name, declared = turn.moved.subject, history.declared.get(turn.moved.subject)
        if turn.moved.to is StepStatus.RUNNING and declared is not None:
            for missing in (need for need in declared.needs if need not in done):
                message = f"started before {missing} was done"
                yield breach(Law.DEPENDENCIES, turn.event, message)
        if _is_done(turn.moved, declared):
            done.add(name)


def _is_done(moved: Moved, declared: Declared | None) -> bool:
    if moved.to is StepStatus.SKIPPED and moved.reason == CONDITION_FALSE:
        return True
    optional = declared is not None and declared.optional and moved.to in STEP_TERMINAL
    return optional or moved.to is StepStatus.COMPLETED


# --- 4: attempts -------------------------------------------------------------------------------


def attempts(history: History) -> Iterator[Violation]:
    """Each start has a number: at most the maximum, one higher unless it was interrupted."""
    made: dict[str, int] = {}
    interrupted: set[str] = set()
    for turn in history.turns:
        name, moved = turn.moved.subject, turn.moved
        if moved.to is StepStatus.RETRYING and moved.reason == INTERRUPTED:
            interrupted.add(name)
        if moved.to is StepStatus.RUNNING:
            least = made.get(name, 0) + (0 if name in interrupted else 1)
            yield from _attempt(history, turn, max(least, 1))
            made[name] = moved.attempt or least
            interrupted.discard(name)


def _attempt(history: History, turn: Turn, least: int) -> Iterator[Violation]:
    declared, attempt = history.declared.get(turn.moved.subject), turn.moved.attempt
    if attempt is None:
        yield breach(Law.ATTEMPTS, turn.event, "started without the number of its attempt")
    elif attempt < least:
        yield breach(Law.ATTEMPTS, turn.event, f"started attempt {attempt} instead of {least}")
    elif declared is not None and attempt > declared.max_attempts:
        message = f"started attempt {attempt} of at most {declared.max_attempts}"
        yield breach(Law.ATTEMPTS, turn.event, message)


# --- 5: limits ---------------------------------------------------------------------------------


def limits(history: History) -> Iterator[Violation]:
    """What runs at one time holds no more of a pool than there is."""
    if history.created is None:
        return
    most = history.created.limits
    held: Counter[str] = Counter()
    for turn in history.turns:
        declared = history.declared.get(turn.moved.subject)
        if declared is None:
            continue
        if turn.status is StepStatus.RUNNING:
            held.subtract(_holds(declared))
        if turn.moved.to is StepStatus.RUNNING:
            held.update(_holds(declared))
            for pool in (p for p in _holds(declared) if held[p] > most.get(p, held[p])):
                message = f"started and made it {held[pool]} of at most {most[pool]} {pool}"
                yield breach(Law.LIMITS, turn.event, message)


def _holds(declared: Declared) -> Mapping[str, int]:
    if declared.kind is SubjectKind.AGENT:
        return {AGENT_POOL: 1, **declared.uses}
    return declared.uses


# --- 7: times and workers ----------------------------------------------------------------------


def times(history: History) -> Iterator[Violation]:
    """Time does not go backwards, and a worker is named exactly with `running`."""
    for before, event in pairwise(history.events):
        if event.time < before.time:
            yield breach(Law.TIMES, event, "is earlier than the event before it")
    for turn in history.turns:
        running = turn.moved.to is StepStatus.RUNNING
        if running and turn.moved.worker is None:
            yield breach(Law.TIMES, turn.event, "runs without a worker")
        if not running and turn.moved.worker is not None:
            message = f"is {turn.moved.to} and has a worker: {turn.moved.worker}"
            yield breach(Law.TIMES, turn.event, message)


LAWS: Final[Mapping[Law, Callable[[History], Iterator[Violation]]]] = {
    Law.TRANSITIONS: transitions,
    Law.FOLD: numbering,
    Law.DEPENDENCIES: dependencies,
    Law.ATTEMPTS: attempts,
    Law.LIMITS: limits,
    Law.INDEPENDENCE: independence,
    Law.TIMES: times,
    Law.MERGES: merges,
}
"""Each law and how it is checked."""
