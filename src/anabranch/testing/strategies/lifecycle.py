"""Strategies for lifecycles: any events, lawful histories of runs, and unlawful ones.

A lawful history is a walk: `next_events` says everything that may happen after a state, and
the strategy draws one of these again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias, get_args

from attrs import fields
from hypothesis import strategies as st

from anabranch.lifecycle import (
    CONDITION_FALSE,
    INTERRUPTED,
    RUN_TERMINAL,
    STEP_TERMINAL,
    STEP_TRANSITIONS,
    UNSUCCESSFUL,
    UPSTREAM_FAILED,
    CommandEnded,
    CommandStarted,
    Committed,
    DeadLettered,
    Declared,
    Delivered,
    Event,
    Folding,
    Merged,
    MergeStarted,
    Moved,
    Opened,
    OutputRecorded,
    Payload,
    PhaseEnded,
    RunCreated,
    RunMoved,
    RunState,
    Spent,
    StopReason,
    StopRequested,
    Subject,
    SubjectKind,
    Unrecognised,
)
from anabranch.testing.strategies.values import field_names, json_values, texts
from anabranch.values import RunStatus, StepStatus

_START: Final = datetime(2026, 3, 14, 12, tzinfo=UTC)
_S, _R = StepStatus, RunStatus

# --- any events --------------------------------------------------------------------------------

_counts = st.integers(0, 2**40)
_BY_TYPE: Final[Mapping[str, st.SearchStrategy[object]]] = {
    "str": texts() | st.text(),
    "int": _counts,
    "bool": st.booleans(),
    "float": st.floats(0, 1e9),
    "timedelta": st.timedeltas(timedelta(), timedelta(days=999)),
    "tuple[str, ...]": st.lists(texts(), max_size=4).map(tuple),
    "Mapping[str, int]": st.dictionaries(texts(), _counts, max_size=3),
    "Json": json_values(),
    "StepStatus": st.sampled_from(StepStatus),
    "RunStatus": st.sampled_from(RunStatus),
    "SubjectKind": st.sampled_from(SubjectKind),
    "StopReason": st.sampled_from(StopReason),
}


def payloads() -> st.SearchStrategy[Payload]:
    """Payloads of every kind with anything in them, also what no run would write."""
    return st.one_of(*(_payloads_of(k) for k in get_args(Payload) if k is not Unrecognised))


def _payloads_of(kind: type[Payload]) -> st.SearchStrategy[Payload]:
    arguments: dict[str, st.SearchStrategy[object]] = {}
    for attribute in fields(kind):
        name = str(attribute.type)
        values = _BY_TYPE[name.removesuffix(" | None")]
        arguments[attribute.name] = st.none() | values if name.endswith(" | None") else values
    return st.builds(kind, **arguments)


def events() -> st.SearchStrategy[Event]:
    """Single events with anything in them."""
    times = st.datetimes(timezones=st.just(UTC))
    return st.builds(Event, st.integers(1, 10**7), times, payloads(), st.none() | _counts)


def unrecognised() -> st.SearchStrategy[Unrecognised]:
    """Events of kinds that this version does not know."""
    names = st.sampled_from(["teleported", "moved_again", ""])
    data = st.dictionaries(field_names().map("x_{}".format), json_values(), max_size=3)
    return st.builds(Unrecognised, type=names, data=data)


# --- lawful histories --------------------------------------------------------------------------

Burst: TypeAlias = tuple[Payload, ...]
"""Payloads that are written together."""


@st.composite
def histories(
    draw: st.DrawFn, *, max_agents: int = 3, max_length: int = 40, finished: bool = False
) -> tuple[Event, ...]:
    """Lawful histories of a run, cut anywhere.

    Args:
        draw: Hypothesis's own.
        max_agents: at most this many agents, each with up to two steps.
        max_length: about how many events are drawn freely.
        finished: whether the run comes to its end; the last events are then not drawn.
    """
    walk = _Walk(lambda options: draw(st.sampled_from(options)))
    walk.write(*draw(_openings(max_agents)))
    while len(walk.events) < max_length and walk.go(next_events(walk.state)):
        pass
    while finished and walk.go(_closing(walk.state)):
        pass
    length = len(walk.events)
    return tuple(walk.events[: length if finished else draw(st.integers(0, length))])


@st.composite
def illegal_histories(draw: st.DrawFn) -> tuple[Event, ...]:
    """Histories of which all but the last event are lawful, and the last is in no table."""
    events = draw(histories())
    wrong = draw(st.sampled_from(_illegal(_state_of(events))))
    sequence = len(events) + 1
    time = events[-1].time if events else _START
    return (*events, Event(sequence, time, wrong))


class _Walk:
    """A history being drawn."""

    def __init__(self, choose: Callable[[list[Burst]], Burst]) -> None:
        self.events: list[Event] = []
        self._choose = choose
        self._folding = Folding()

    @property
    def state(self) -> RunState:
        return self._folding.state

    def go(self, options: list[Burst]) -> bool:
        if options:
            self.write(*self._choose(options))
        return bool(options)

    def write(self, *payloads: Payload) -> None:
        for payload in payloads:
            number = len(self.events) + 1
            event = Event(number, _START + timedelta(milliseconds=number), payload)
            self._folding.take(event)
            self.events.append(event)


def _state_of(events: tuple[Event, ...]) -> RunState:
    folding = Folding()
    folding.take_all(events)
    return folding.state


@st.composite
def _openings(draw: st.DrawFn, max_agents: int) -> Burst:
    """How a run begins: created, opened, everything declared, running."""
    count = draw(st.integers(0, max_agents))
    limits = {"agents": draw(st.integers(1, 3)), "gpu": 1}
    created = RunCreated(run="r-1", workflow="flow", digest="d0", branch="run", limits=limits)
    first = Opened(host="here", process=1)
    setup = Declared(subject="setup[0]", optional=draw(st.booleans()))
    agents = [payload for index in range(count) for payload in draw(_agents(index))]
    return (created, first, setup, *agents, RunMoved(to=_R.RUNNING))


@st.composite
def _agents(draw: st.DrawFn, index: int) -> tuple[Declared, ...]:
    name, needs = f"agent-{index}", draw(st.sampled_from([(), ("setup[0]",)]))
    agent = Declared(
        subject=name,
        kind=SubjectKind.AGENT,
        item={"n": index},
        needs=needs,
        merges=draw(st.booleans()),
        max_attempts=draw(st.integers(1, 3)),
        uses=draw(st.sampled_from([{}, {"gpu": 1}])),
    )
    steps = [
        Declared(
            subject=f"{name}/step[{n}]", parent=name, needs=(f"{name}/step[{n - 1}]",) * (n > 0)
        )
        for n in range(draw(st.integers(0, 2)))
    ]
    return (agent, *steps)


def next_events(state: RunState) -> list[Burst]:
    """Everything that may lawfully happen after a state, each as payloads written together."""
    if state.status in RUN_TERMINAL or state.created is None:
        return []
    moves = [b for s in state.subjects.values() for b in (*_moves(state, s), *_deeds(s))]
    return moves + list(_run_events(state))


def _closing(state: RunState) -> list[Burst]:
    """What brings a run nearer to its end; empty when it is there."""
    if state.status in RUN_TERMINAL:
        return []
    if state.status is not _R.RUNNING:
        return [(RunMoved(to=_R.RUNNING),)]
    moves = [b for s in state.subjects.values() for b in _moves(state, s)]
    nearer = [burst for burst in moves if getattr(burst[-1], "to", None) is not _S.RETRYING]
    return nearer[:1] or list(_ends(state))


def _moves(state: RunState, subject: Subject) -> Iterator[Burst]:
    forbidden = {
        _S.RETRYING: subject.attempt >= subject.declared.max_attempts,
        _S.CANCELLED: state.stop is None,
    }
    for to in sorted(STEP_TRANSITIONS[subject.status]):
        burst = () if forbidden.get(to) else _move(state, subject, to)
        if burst:
            yield burst


def _move(state: RunState, subject: Subject, to: StepStatus) -> Burst:
    """How a subject may go there under the laws; empty if it may not."""
    name = subject.declared.subject
    match to:
        case StepStatus.RUNNING:
            return _start(state, subject)
        case StepStatus.SKIPPED:
            return (_skip(state, subject),)
        case StepStatus.COMPLETED if subject.declared.merges:
            merged = Merged(subject=name, target="run", before="c0", commit=f"c-{name}")
            started = MergeStarted(subject=name, source="s", target="run")
            return (started, merged, Moved(subject=name, to=to))
        case StepStatus.FAILED:
            failed = Moved(subject=name, to=to, message="it broke")
            return (failed, DeadLettered(subject=name, signature="it broke"))
        case _:
            return (Moved(subject=name, to=to),)


def _start(state: RunState, subject: Subject) -> Burst:
    ready = all(_is_done(state.subjects[need]) for need in subject.declared.needs)
    if not ready or not _has_room(state, subject):
        return ()
    last = [e.payload for e in subject.story if isinstance(e.payload, Moved)][-2:-1]
    again = subject.attempt > 0 and last[0].reason == INTERRUPTED
    attempt = subject.attempt if again else subject.attempt + 1
    return (Moved(subject=subject.declared.subject, to=_S.RUNNING, attempt=attempt, worker="w-0"),)


def _has_room(state: RunState, subject: Subject) -> bool:
    limits = dict[str, int]() if state.created is None else state.created.limits
    running = [s for s in state.subjects.values() if s.status is _S.RUNNING]
    return all(
        sum(_held(s, pool) for s in running) + _held(subject, pool) <= most
        for pool, most in limits.items()
    )


def _held(subject: Subject, pool: str) -> int:
    declared = subject.declared
    one = pool == "agents" and declared.kind is SubjectKind.AGENT
    return int(one) + declared.uses.get(pool, 0)


def _is_done(subject: Subject) -> bool:
    if subject.status is _S.SKIPPED and subject.moved is not None:
        return subject.declared.optional or subject.moved.reason == CONDITION_FALSE
    tolerated = subject.declared.optional and subject.status in STEP_TERMINAL
    return tolerated or subject.status is _S.COMPLETED


def _skip(state: RunState, subject: Subject) -> Moved:
    name = subject.declared.subject
    for need in subject.declared.needs:
        if state.subjects[need].status in UNSUCCESSFUL and not _is_done(state.subjects[need]):
            return Moved(subject=name, to=_S.SKIPPED, reason=UPSTREAM_FAILED, upstream=need)
    return Moved(subject=name, to=_S.SKIPPED, reason=CONDITION_FALSE)


def _deeds(subject: Subject) -> Iterator[Burst]:
    """What a running subject may do."""
    name = subject.declared.subject
    if subject.status is _S.RUNNING:
        yield (Spent(subject=name, cost_usd=0.5, input_tokens=7),)
        yield (OutputRecorded(subject=name, name="shell.output", value=["a", 1]),)
        yield (Committed(subject=name, commit="c1", files=("a.py",), insertions=1),)
        if subject.work.in_doubt:
            yield (CommandEnded(subject=name, exit_code=1, fault="exit", tail="no\n"),)
        else:
            yield (CommandStarted(subject=name, command="make"),)


def _run_events(state: RunState) -> Iterator[Burst]:
    if state.status is _R.PAUSED:
        yield (RunMoved(to=_R.RUNNING),)
        return
    if state.stop is None:
        yield (StopRequested(reason=StopReason.LIMIT),)
    yield (RunMoved(to=_R.PAUSED),)
    yield _interruption(state)
    yield from _ends(state)


def _interruption(state: RunState) -> Burst:
    """The process dies, another one takes over and begins again what was under way."""
    running = (s.declared.subject for s in state.subjects.values() if s.status is _S.RUNNING)
    again = (Moved(subject=name, to=_S.RETRYING, reason=INTERRUPTED) for name in running)
    died, back = RunMoved(to=_R.INTERRUPTED), RunMoved(to=_R.RUNNING)
    return (Opened(host="here", process=2), died, *again, back)


def _ends(state: RunState) -> Iterator[Burst]:
    statuses = {subject.status for subject in state.subjects.values()}
    if statuses <= STEP_TERMINAL:
        delivered = Delivered(commit="c9", delivered=True)
        end = _R.PARTIAL if statuses & (UNSUCCESSFUL - {_S.SKIPPED}) else _R.COMPLETED
        yield (delivered, RunMoved(to=end))


# --- unlawful events ---------------------------------------------------------------------------


def _illegal(state: RunState) -> list[Payload]:
    """One of everything that no table allows after a state."""
    nobody = "nobody"
    wrong: list[Payload] = [
        Moved(subject=nobody, to=_S.QUEUED),
        CommandStarted(subject=nobody, command="make"),
        Declared(subject="child", parent=nobody),
        PhaseEnded(phase="never begun"),
    ]
    for name, subject in state.subjects.items():
        wrong.append(subject.declared)
        nowhere = set(StepStatus) - STEP_TRANSITIONS[subject.status]
        wrong += [Moved(subject=name, to=to) for to in sorted(nowhere)]
    if state.created is not None:
        wrong.append(state.created)
    return wrong
