"""What people want to know of a run: a fold of its state, as plain values to be rendered.

Nothing here is text layout, and nothing reads a clock: a run that goes on is as old as its
last event, unless the caller knows the time better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from shlex import quote

from attrs import evolve, frozen

from anabranch.lifecycle.events import (
    CommandEnded,
    Delivered,
    RunMoved,
    StopRequested,
    SubjectKind,
)
from anabranch.lifecycle.signatures import failure_signature
from anabranch.lifecycle.state import RunState
from anabranch.lifecycle.subjects import Subject
from anabranch.lifecycle.transitions import LIVE, RUN_TERMINAL
from anabranch.values import Masked, RunStatus, StepStatus


@frozen(kw_only=True)
class Running:
    """Something at work now.

    Attributes:
        subject, label: its id, and what to call it.
        worker, attempt: who does it, for which time.
        since: when this attempt began.
        step: what the step inside it is called that it is at; `None` if it is at none.
        command: what it is running; `None` between commands.
    """

    subject: str
    label: str
    worker: str | None
    attempt: int
    since: datetime
    step: str | None
    command: str | None


@frozen(kw_only=True)
class Unsuccessful:
    """Something that failed, with what it printed.

    Attributes:
        subject, label: its id, and what to call it.
        status: `failed` or `timed_out`.
        at: the step inside it where it happened; itself if there is none.
        attempts: how often it was tried.
        message: the error.
        signature: alike for alike failures.
        exit_code, tail, log: of the command that failed, if one did.
        conflicts: files that could not be merged.
        branch: where its work is kept, if it is.
        session: what to resume its agent by, if that said so.
    """

    subject: str
    label: str
    status: StepStatus
    at: str
    attempts: int
    message: str | None = None
    signature: str = ""
    exit_code: int | None = None
    tail: str = ""
    log: str | None = None
    conflicts: tuple[str, ...] = ()
    branch: str | None = None
    session: str | None = None


@frozen(kw_only=True)
class Summary:
    """A run at a glance.

    Attributes:
        run, workflow: which run of what; empty before it was created.
        source: the file that the workflow was read from, if it was.
        base: the commit that the run started from.
        status: where it stands.
        stop: why it stopped early, if it did.
        sequence: of the last event that was taken into account.
        started_at, ended_at: its first start, its end.
        elapsed: from its start to its end, or to its last event,
            without the time it was interrupted.
        phases: how long each phase took, or has taken so far, without the time it was interrupted,
            in the order they began.
        agents, steps: how many stand where. Steps inside of agents are not counted.
        running: what is at work, longest first.
        failed: what failed, in the order of declaration; steps inside of agents are told
            with their agent.
        merged: how many agents' work is in the result.
        letters: ids of the items in the dead-letter queue.
        delivered: where the result is.
        delivering: whether a delivery was begun and has no end: the user's checkout may be half way.
        processor: time that commands used of processors.
        memory_bytes: the peak of the largest process among them.
        cost_usd, input_tokens, output_tokens: what agents said they cost.
        next_commands: what to type next, most useful first.
        unrecognised: kinds of events that a newer version wrote and this one left out.
    """

    run: str
    workflow: str
    source: str | None
    base: str | None
    status: RunStatus
    stop: StopRequested | None
    sequence: int
    started_at: datetime | None
    ended_at: datetime | None
    elapsed: timedelta
    phases: Mapping[str, timedelta]
    agents: Mapping[StepStatus, int]
    steps: Mapping[StepStatus, int]
    running: tuple[Running, ...]
    failed: tuple[Unsuccessful, ...]
    merged: int
    letters: tuple[str, ...]
    delivered: Delivered | None
    delivering: bool
    processor: timedelta
    memory_bytes: int
    cost_usd: float
    input_tokens: int
    output_tokens: int
    next_commands: tuple[str, ...]
    unrecognised: tuple[str, ...]


def summarise(state: RunState, *, failures: int | None = None) -> Summary:
    """The run at a glance.

    Args:
        state: the fold of its journal.
        failures: at most this many in `failed`, the first ones; `None` is all. The counts say
            how many there are.
    """
    subjects = tuple(state.subjects.values())
    created = state.created
    return Summary(
        run="" if created is None else created.run,
        workflow="" if created is None else created.workflow,
        source=None if created is None else created.source,
        base=None if created is None else created.base,
        status=state.status,
        stop=state.stop,
        sequence=state.sequence,
        started_at=state.started_at,
        ended_at=state.ended_at,
        elapsed=_active(state),
        phases=_phases(state),
        agents=_count(s for s in subjects if s.declared.kind is SubjectKind.AGENT),
        steps=_count(s for s in _tops(subjects) if s.declared.kind is SubjectKind.STEP),
        running=_running(subjects),
        failed=_failed(subjects)[:failures],
        merged=sum(s.work.merged is not None for s in subjects),
        letters=_letters(subjects),
        delivered=state.delivered,
        delivering=state.delivering is not None,
        processor=sum((s.work.processor for s in subjects), timedelta()),
        memory_bytes=max((s.work.memory_bytes for s in subjects), default=0),
        cost_usd=sum(s.work.cost_usd for s in subjects),
        input_tokens=sum(s.work.input_tokens for s in subjects),
        output_tokens=sum(s.work.output_tokens for s in subjects),
        next_commands=_next_commands(state),
        unrecognised=tuple(sorted(state.unrecognised)),
    )


def broken_off(summary: Summary) -> Summary:
    """The summary of a run on which nobody works any more, whatever its journal says last.

    A run that did not come to its end is interrupted, and can be resumed if it had begun.
    """
    if summary.status in RUN_TERMINAL or summary.status is RunStatus.INTERRUPTED:
        return summary
    resume = (f"anabranch resume {summary.run}",) if summary.run else ()
    commands = summary.next_commands or resume
    return evolve(summary, status=RunStatus.INTERRUPTED, next_commands=commands)


def _count(subjects: Iterable[Subject]) -> Mapping[StepStatus, int]:
    found = Counter(subject.status for subject in subjects)
    return {status: found[status] for status in StepStatus if found[status]}


def _tops(subjects: Sequence[Subject]) -> tuple[Subject, ...]:
    return tuple(s for s in subjects if s.declared.parent is None)


def _letters(subjects: Sequence[Subject]) -> tuple[str, ...]:
    return tuple(s.declared.subject for s in subjects if s.work.letter is not None)


# --- times -------------------------------------------------------------------------------------


def _active(state: RunState) -> timedelta:
    """How long the run ran or paused; interruptions do not count."""
    total, since = timedelta(), None
    for event in state.story:
        if isinstance(event.payload, RunMoved):
            total += timedelta() if since is None else event.time - since
            since = event.time if event.payload.to in LIVE else None
    if since is not None and state.updated_at is not None:
        total += state.updated_at - since
    return total - state.away


def _phases(state: RunState) -> Mapping[str, timedelta]:
    return {
        name: (phase.ended_at or state.updated_at or phase.started_at)
        - phase.started_at
        - phase.away
        for name, phase in state.phases.items()
    }


# --- what runs ---------------------------------------------------------------------------------


def _running(subjects: Sequence[Subject]) -> tuple[Running, ...]:
    inside = _children(subjects)
    running = (s for s in _tops(subjects) if s.status is StepStatus.RUNNING)
    return tuple(sorted((_at_work(s, inside) for s in running), key=lambda r: r.since))


def _at_work(subject: Subject, inside: Mapping[str, Sequence[Subject]]) -> Running:
    innermost = _innermost(subject, inside, (StepStatus.RUNNING,))
    in_doubt = innermost.work.in_doubt
    return Running(
        subject=subject.declared.subject,
        label=_label(subject),
        worker=subject.worker,
        attempt=subject.attempt,
        since=subject.moved_at,
        step=None if innermost is subject else _label(innermost),
        command=in_doubt[-1].command if in_doubt else None,
    )


# --- what failed -------------------------------------------------------------------------------

_FAILED = (StepStatus.FAILED, StepStatus.TIMED_OUT)


def _failed(subjects: Sequence[Subject]) -> tuple[Unsuccessful, ...]:
    inside = _children(subjects)
    return tuple(_failure(s, inside) for s in _tops(subjects) if s.status in _FAILED)


def _failure(subject: Subject, inside: Mapping[str, Sequence[Subject]]) -> Unsuccessful:
    at = _innermost(subject, inside, _FAILED)
    last, conflict, letter = at.work.last, subject.work.conflict, subject.work.letter
    message = _message(subject) or _message(at)
    return Unsuccessful(
        subject=subject.declared.subject,
        label=_label(subject),
        status=subject.status,
        at=at.declared.subject,
        attempts=subject.attempt,
        message=message,
        signature=_signature(at, message or "", last) if letter is None else letter.signature,
        exit_code=None if last is None else last.exit_code,
        tail="" if last is None else last.tail,
        log=None if last is None else last.log,
        conflicts=() if conflict is None else conflict.conflicts,
        branch=None if letter is None else letter.branch,
        session=at.work.session,
    )


def _signature(at: Subject, message: str, last: CommandEnded | None) -> str:
    # What is in a journal has been masked.
    inside = "" if at.declared.parent is None else at.declared.subject.rpartition("/")[2]
    return failure_signature(inside, Masked(message), last if last and last.fault else None)


def _message(subject: Subject) -> str | None:
    return None if subject.moved is None else subject.moved.message


def _label(subject: Subject) -> str:
    return subject.declared.label or subject.declared.subject


def _children(subjects: Sequence[Subject]) -> Mapping[str, Sequence[Subject]]:
    inside: dict[str, list[Subject]] = {}
    for subject in subjects:
        if subject.declared.parent is not None:
            inside.setdefault(subject.declared.parent, []).append(subject)
    return inside


def _innermost(
    subject: Subject, inside: Mapping[str, Sequence[Subject]], statuses: Sequence[StepStatus]
) -> Subject:
    """The last step inside the last step … inside the subject that has one of these statuses."""
    while found := [s for s in inside.get(subject.declared.subject, ()) if s.status in statuses]:
        subject = max(found, key=lambda s: s.moved_at)
    return subject


# --- what to do next ---------------------------------------------------------------------------


def _next_commands(state: RunState) -> tuple[str, ...]:
    if state.created is None:
        return ()
    run, commands = state.created.run, list[str]()
    if state.delivered is not None and state.delivered.hint is not None:
        commands.append(state.delivered.hint)
    if state.is_being_cancelled:
        return (f"anabranch cancel {run}",)
    if state.status is RunStatus.INTERRUPTED:
        commands.append(f"anabranch resume {run}")
    if state.status in RUN_TERMINAL:
        subjects = tuple(state.subjects.values())
        failed = (s for s in _tops(subjects) if s.status in _FAILED)
        commands += [_to_look_at(subject, run) for subject in islice(failed, 1)]
        commands += [f"anabranch dlq retry {run}"] if _letters(subjects) else []
    return tuple(commands)


def _to_look_at(failed: Subject, run: str) -> str:
    """What shows why: what was printed, but of a conflict that is nothing."""
    unmerged = failed.work.conflict is not None and failed.work.letter is not None
    return f"anabranch {'dlq show' if unmerged else 'logs'} {run} {quote(failed.declared.subject)}"
