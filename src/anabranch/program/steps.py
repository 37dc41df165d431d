"""Steps → effects: the same for every phase and every mode.

A step is declared, waits for the steps it depends on, runs its command in the phase's
worktree and ends in exactly one terminal status; every transition is in the journal.
Steps that touch nothing in common run side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Never

from attrs import evolve

from anabranch.effects import Do, Effect, GraphError, do, fail, now, par_graph, succeed
from anabranch.environment import MapEnv
from anabranch.expressions import parse_condition
from anabranch.lifecycle import (
    CONDITION_FALSE,
    STEP_TERMINAL,
    UPSTREAM_FAILED,
    CommandStarted,
    Declared,
    Moved,
    Subject,
)
from anabranch.planning import CommandGraph
from anabranch.program.commands import carry_out, probe, shown
from anabranch.program.doubts import Verdict, verdict_on
from anabranch.program.faults import note
from anabranch.program.past import Standing, closing, next_attempt, standing_of, way_back
from anabranch.program.places import Place, StepError, StepFailed, failure_of, in_doubt
from anabranch.program.slates import STATE, Slate
from anabranch.values import HostError, StepStatus
from anabranch.workflow import Step, order_of, refers_to_changes


def run_steps(steps: Sequence[Step], place: Place) -> Effect[None, StepError, MapEnv]:
    """Run steps, each as soon as those that it depends on are done.

    A failure skips the steps that depend on it; the first failure in their order is the
    failure of the whole.
    """
    watched = refers_to_changes(STATE, steps)
    return succeed(None).and_then(
        lambda _: _run_list(steps, evolve(place, slate=Slate(watched=watched)))
    )


def _run_list(steps: Sequence[Step], place: Place) -> Effect[None, StepError, MapEnv]:
    graph = order_of(steps)
    subjects = [f"{place.prefix}[{index}]" for index in range(len(steps))]
    effects = {index: _run_step(step, subjects[index], place) for index, step in enumerate(steps)}
    ran = par_graph(effects, dict(enumerate(graph.dependencies))).as_(None)
    new = (d for d in _declared(steps, subjects, graph, place) if d.subject not in place.past)
    declared = note(*new)

    def failed(error: GraphError[int, None, StepError]) -> Effect[None, StepError, MapEnv]:
        first = next(iter(error.errors.values()))
        skipped = (s for s in _skipped(error, subjects) if not _has_ended(place, s.subject))
        return note(*skipped).and_then(lambda _: fail(first))

    return declared.and_then(lambda _: ran.or_else(failed))


def _declared(
    steps: Sequence[Step], subjects: Sequence[str], graph: CommandGraph, place: Place
) -> list[Declared]:
    return [
        Declared(
            subject=subjects[index],
            label=step.name or shown(step),
            phase=place.phase,
            parent=place.parent,
            needs=tuple(subjects[before] for before in graph.dependencies[index]),
        )
        for index, step in enumerate(steps)
    ]


def _skipped(error: GraphError[int, None, StepError], subjects: Sequence[str]) -> list[Moved]:
    return [
        Moved(
            subject=subjects[index],
            to=StepStatus.SKIPPED,
            reason=UPSTREAM_FAILED,
            upstream=subjects[upstream],
        )
        for index, upstream in error.skipped.items()
    ]


def _run_step(step: Step, subject: str, place: Place) -> Effect[None, StepError, MapEnv]:
    """Run one step to its end, and say so in the journal."""
    known = place.past.get(subject)
    if known is not None and standing_of(known) is not Standing.UNBEGUN:
        return _taken_up(step, known, place)
    return succeed(step.when).and_then(lambda when: _if_met(when, step, subject, place))


def _if_met(
    when: str | None, step: Step, subject: str, place: Place
) -> Effect[None, StepError, MapEnv]:
    """Start it, if its condition holds for what the steps before it have left by now."""
    if when is not None and not parse_condition(when).holds(place.names):
        return note(Moved(subject=subject, to=StepStatus.SKIPPED, reason=CONDITION_FALSE))
    return _started(step, subject, place)


def _taken_up(step: Step, known: Subject, place: Place) -> Effect[None, StepError, MapEnv]:
    """Go on with a step that an earlier process began."""
    match standing_of(known):
        case Standing.DONE:
            return succeed(known.work.outputs).map(place.slate.leave)
        case Standing.WORKED:
            place.slate.leave(known.work.outputs)
            return note(*closing(known))
        case Standing.FAILED:
            return fail(failure_of(known))
        case _:
            return _started(step, known.declared.subject, place)


def _has_ended(place: Place, subject: str) -> bool:
    known = place.past.get(subject)
    return known is not None and known.status in STEP_TERMINAL


def _started(step: Step, subject: str, place: Place) -> Effect[None, StepError, MapEnv]:
    doubtful = place.doubtful(subject)
    if doubtful is None:
        begun = _attempted(step, subject, place)
    else:
        begun = _settled(step, subject, place, doubtful)
    return begun.or_else(_note_failure)


@do
def _settled(
    step: Step, subject: str, place: Place, doubtful: Subject
) -> Do[None, StepError, MapEnv]:
    """Go on with a step of which nobody knows whether it was done."""
    verdict = verdict_on(step, place.in_doubt, doubtful)
    if verdict is None:
        verdict = yield from probe(step, subject, place)
    if verdict is Verdict.AGAIN:
        return (yield from _attempted(step, subject, place))
    if standing_of(place.past.get(subject)) is Standing.UNBEGUN:
        yield from note(*_begun(subject, place))
    if verdict is Verdict.FAILED:
        yield from fail(in_doubt(subject, shown(step)))
    yield from note(
        Moved(subject=subject, to=StepStatus.VALIDATING),
        Moved(subject=subject, to=StepStatus.COMPLETED),
    )


def _begun(subject: str, place: Place) -> list[Moved]:
    """The transitions that lead to the next start."""
    known, worker = place.past.get(subject), place.worktree.name
    running = Moved(
        subject=subject, to=StepStatus.RUNNING, attempt=next_attempt(known), worker=worker
    )
    return [*way_back(known, subject), running]


def _note_failure(error: StepError) -> Effect[Never, StepError, MapEnv]:
    if isinstance(error, HostError):
        return fail(error)
    moved = Moved(subject=error.subject, to=error.status, message=error.message)
    return note(moved).and_then(lambda _: fail(error))


@do
def _attempted(step: Step, subject: str, place: Place) -> Do[None, StepError, MapEnv]:
    yield from note(
        *_begun(subject, place),
        CommandStarted(subject=subject, command=shown(step), key=place.key_of(subject)),
    )
    limit = yield from _time_left(step, subject, place)
    yield from carry_out(step, subject, place, limit)
    yield from note(Moved(subject=subject, to=StepStatus.VALIDATING))
    yield from note(Moved(subject=subject, to=StepStatus.COMPLETED))


@do
def _time_left(step: Step, subject: str, place: Place) -> Do[timedelta | None, StepFailed, object]:
    """The step's own limit, or what is left of the phase's, whichever is less."""
    if place.deadline is None:
        return step.timeout
    left = timedelta(seconds=place.deadline - (yield from now()))
    if left <= timedelta():
        message = f"no time is left for it in `{place.phase}`"
        yield from fail(StepFailed(subject=subject, message=message, timed_out=True))
    return left if step.timeout is None else min(left, step.timeout)
