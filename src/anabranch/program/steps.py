"""Steps → effects: the same for every phase and every mode.

A step is declared, waits for the steps it depends on, runs its command in the phase's
worktree and ends in exactly one terminal status; every transition is in the journal.
Steps that touch nothing in common run side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Never

from attrs import evolve
from returns.result import Failure

from anabranch.effects import Do, Effect, GraphError, do, fail, par_graph, succeed
from anabranch.environment import MapEnv
from anabranch.expressions import parse_condition
from anabranch.lifecycle import (
    CONDITION_FALSE,
    STEP_TERMINAL,
    UPSTREAM_FAILED,
    Declared,
    Moved,
    Payload,
    Subject,
)
from anabranch.program.attempts import Work, attempt_step
from anabranch.program.commands import completed, probe
from anabranch.program.doubts import Verdict, verdict_on
from anabranch.program.faults import note
from anabranch.program.order import StepOrder
from anabranch.program.past import Standing, closing, next_attempt, standing_of, way_back
from anabranch.program.places import Place, StepError, failure_of, in_doubt
from anabranch.program.slates import Slate
from anabranch.program.step_lists import StepList
from anabranch.values import HostError, Json, StepStatus


def run_steps(
    listed: StepList, place: Place, *before: Payload
) -> Effect[Mapping[str, Json], StepError, MapEnv]:
    """Run steps, each as soon as those that it depends on are done.

    A failure skips the steps that depend on it; the first failure in their order is the
    failure of the whole.

    Args:
        listed: what to run.
        place: where.
        before: what is told in the same breath, before anything of them.

    Returns:
        What they captured, by name.
    """

    def on(slate: Slate) -> Effect[Mapping[str, Json], StepError, MapEnv]:
        ran = _run_list(listed, evolve(place, slate=slate), before)
        return ran.map(lambda _: slate.captured)

    return succeed(listed.watched).map(lambda watched: Slate(watched=watched)).and_then(on)


def _run_list(
    listed: StepList, place: Place, before: Sequence[Payload]
) -> Effect[None, StepError, MapEnv]:
    works = _works(listed, place)
    new = (step for step in _declared(works, listed) if step.subject not in place.past)
    told = (*before, *new)
    if listed.order.in_a_row:
        return _in_a_row(works, told)
    return note(*told).and_then(lambda _: _side_by_side(works, listed.order))


def _works(listed: StepList, place: Place) -> list[Work]:
    order = listed.order
    return [
        Work(
            step=step,
            subject=f"{place.prefix}[{index}]",
            shown=listed.shown[index],
            place=place,
            rank=order.ranks[index],
            allowed=order.allowed[index],
        )
        for index, step in enumerate(listed.steps)
    ]


def _declared(works: Sequence[Work], listed: StepList) -> list[Declared]:
    return [
        Declared(
            subject=work.subject,
            label=label,
            phase=work.place.phase,
            parent=work.place.parent,
            needs=tuple(works[before].subject for before in needs),
            max_attempts=work.max_attempts,
            optional=work.step.optional,
            uses=work.uses,
        )
        for work, label, needs in zip(
            works, listed.labels, listed.order.graph.dependencies, strict=True
        )
    ]


@do
def _in_a_row(works: list[Work], told: Sequence[Payload]) -> Do[None, StepError, MapEnv]:
    """Run steps one after the other; a graph of them would do the same with a task for each."""
    if works and _starts_at_once(works[0]):
        works = [evolve(works[0], before=told), *works[1:]]
    else:
        yield from note(*told)
    for at, work in enumerate(works):
        ended = yield from _run_step(work).settled()
        if isinstance(ended, Failure):
            yield from _skipped(works, dict.fromkeys(range(at + 1, len(works)), at))
            yield from fail(ended.failure())


def _side_by_side(works: Sequence[Work], order: StepOrder) -> Effect[None, StepError, MapEnv]:
    """Run steps that need not all wait for each other."""

    def failed(error: GraphError[int, None, StepError]) -> Effect[None, StepError, MapEnv]:
        first = next(iter(error.errors.values()))
        return _skipped(works, error.skipped).and_then(lambda _: fail(first))

    return (
        par_graph(
            {index: _run_step(work) for index, work in enumerate(works)},
            dict(enumerate(order.graph.dependencies)),
            priority={index: -rank for index, rank in enumerate(order.ranks)},
        )
        .as_(None)
        .or_else(failed)
    )


def _skipped(
    works: Sequence[Work], upstreams: Mapping[int, int]
) -> Effect[None, HostError, MapEnv]:
    """Tell which steps do not run, each with the one whose failure is the reason."""
    return note(
        *(
            Moved(
                subject=works[index].subject,
                to=StepStatus.SKIPPED,
                reason=UPSTREAM_FAILED,
                upstream=works[upstream].subject,
            )
            for index, upstream in upstreams.items()
            if not _has_ended(works[index])
        )
    )


def _run_step(work: Work) -> Effect[None, StepError, MapEnv]:
    """Run one step to its end, and say so in the journal; what is optional does not fail."""
    ran = _to_its_end(work)
    return ran.or_else(_tolerated) if work.step.optional else ran


def _tolerated(error: StepError) -> Effect[None, HostError, object]:
    return fail(error) if isinstance(error, HostError) else succeed(None)


def _to_its_end(work: Work) -> Effect[None, StepError, MapEnv]:
    step, known = work.step, work.known
    if known is not None and standing_of(known) is not Standing.UNBEGUN:
        return _taken_up(work, known)
    return succeed(step.when).and_then(lambda when: _if_met(when, work))


def _if_met(when: str | None, work: Work) -> Effect[None, StepError, MapEnv]:
    """Start it, if its condition holds for what the steps before it have left by now."""
    if when is not None and not parse_condition(when).holds(work.place.names):
        return note(Moved(subject=work.subject, to=StepStatus.SKIPPED, reason=CONDITION_FALSE))
    return _started(work)


def _starts_at_once(work: Work) -> bool:
    """Whether nothing has to be found out before it starts."""
    fresh = work.known is None and work.place.doubtful(work.subject) is None
    return fresh and work.step.when is None


def _taken_up(work: Work, known: Subject) -> Effect[None, StepError, MapEnv]:
    """Go on with a step that an earlier process began."""
    match standing_of(known):
        case Standing.DONE:
            return succeed(known.work.outputs).map(work.place.slate.leave)
        case Standing.WORKED:
            work.place.slate.leave(known.work.outputs)
            return note(*closing(known))
        case Standing.FAILED:
            return fail(failure_of(known))
        case _:
            return _started(work)


def _has_ended(work: Work) -> bool:
    return work.known is not None and work.known.status in STEP_TERMINAL


def _started(work: Work) -> Effect[None, StepError, MapEnv]:
    doubtful = work.place.doubtful(work.subject)
    begun = attempt_step(work) if doubtful is None else _settled(work, doubtful)
    return begun.or_else(_note_failure)


@do
def _settled(work: Work, doubtful: Subject) -> Do[None, StepError, MapEnv]:
    """Go on with a step of which nobody knows whether it was done."""
    step, subject, place = work.step, work.subject, work.place
    verdict = verdict_on(step, place.in_doubt, doubtful)
    if verdict is None:
        verdict = yield from probe(step, subject, place)
    if verdict is Verdict.AGAIN:
        return (yield from attempt_step(work))
    if standing_of(work.known) is Standing.UNBEGUN:
        yield from note(*_begun(work))
    if verdict is Verdict.FAILED:
        yield from fail(in_doubt(subject, work.shown))
    yield from note(*completed(subject))


def _begun(work: Work) -> list[Moved]:
    """The transitions that lead to the next start."""
    name, worker = work.subject, work.place.worktree.name
    attempt = next_attempt(work.known)
    running = Moved(subject=name, to=StepStatus.RUNNING, attempt=attempt, worker=worker)
    return [*way_back(work.known, name), running]


def _note_failure(error: StepError) -> Effect[Never, StepError, MapEnv]:
    if isinstance(error, HostError):
        return fail(error)
    moved = Moved(subject=error.subject, to=error.status, message=error.message)
    return note(moved).and_then(lambda _: fail(error))
