"""Ways into a run: who stands where, what each agent did, what each worker ran."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from anabranch.lifecycle.events import Moved, SubjectKind
from anabranch.lifecycle.state import RunState
from anabranch.lifecycle.subjects import Subject
from anabranch.values import StepStatus


@frozen(kw_only=True)
class AgentEntry:
    """One agent, and the steps inside it.

    Attributes:
        status, attempt: where it stands, and how often it was started.
        started_at, ended_at: its first start, its end.
        steps: the status of each step inside it, in the order of declaration.
        branch: where its work is or was.
        commit: its merge commit, if it was merged.
    """

    status: StepStatus
    attempt: int
    started_at: datetime | None
    ended_at: datetime | None
    steps: Mapping[str, StepStatus]
    branch: str | None
    commit: str | None


def by_status(state: RunState) -> Mapping[StepStatus, tuple[str, ...]]:
    """Ids of steps and agents, by where they stand; both in the tables' order."""
    found: dict[StepStatus, list[str]] = {status: [] for status in StepStatus}
    for name, subject in state.subjects.items():
        found[subject.status].append(name)
    return {status: tuple(names) for status, names in found.items() if names}


def by_agent(state: RunState) -> Mapping[str, AgentEntry]:
    """Every agent, by its id, in the order of declaration."""
    steps: dict[str, dict[str, StepStatus]] = {
        name: {} for name, s in state.subjects.items() if s.declared.kind is SubjectKind.AGENT
    }
    for name, subject in state.subjects.items():
        agent = _agent_of(state, subject)
        if agent in steps and agent != name:
            steps[agent][name] = subject.status
    return {name: _entry(state.subjects[name], inside) for name, inside in steps.items()}


def by_worker(state: RunState) -> Mapping[str, tuple[str, ...]]:
    """What each worker ran, in the order of the starts. A retry counts again."""
    starts = sorted(
        (event.sequence, event.payload.worker, event.payload.subject)
        for subject in state.subjects.values()
        for event in subject.story
        if isinstance(event.payload, Moved) and event.payload.worker is not None
    )
    found: dict[str, list[str]] = {}
    for _, worker, subject_id in starts:
        found.setdefault(worker, []).append(subject_id)
    return {worker: tuple(ids) for worker, ids in found.items()}


def _agent_of(state: RunState, subject: Subject) -> str:
    """The outermost subject that this one runs inside of."""
    while (parent := subject.declared.parent) is not None and parent in state.subjects:
        subject = state.subjects[parent]
    return subject.declared.subject


def _entry(subject: Subject, steps: Mapping[str, StepStatus]) -> AgentEntry:
    work = subject.work
    tree, letter, merged = work.worktree, work.letter, work.merged
    return AgentEntry(
        status=subject.status,
        attempt=subject.attempt,
        started_at=subject.started_at,
        ended_at=subject.ended_at,
        steps=steps,
        branch=letter.branch if letter is not None else tree.branch if tree is not None else None,
        commit=None if merged is None else merged.commit,
    )
