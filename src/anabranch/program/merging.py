"""Finished agents → merges, one after the other, in the order of their items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import starmap
from typing import Final

from returns.result import Failure, Result, Success

from anabranch.effects import Do, Effect, do, fail, succeed, traverse
from anabranch.effects.work import drop_branch, merge, traces_on
from anabranch.environment import (
    HasMerges,
    MapEnv,
    Merge,
    MergeError,
    MergeFault,
    MergeRequest,
    Trace,
)
from anabranch.lifecycle import Merged, MergeFailed, MergeStarted, Moved, Payload
from anabranch.program.faults import fatal, note
from anabranch.program.herds import AgentError, Finished, Herd, letter
from anabranch.program.past import told
from anabranch.program.places import StepFailed
from anabranch.program.resolving import put_away, resolved
from anabranch.values import HostError, StepStatus

RUN: Final = "Anabranch-Run"
AGENT: Final = "Anabranch-Agent"


@do
def merge_all(
    ended: Sequence[Result[Finished, AgentError]], herd: Herd, since: str
) -> Do[list[bool], HostError, MapEnv]:
    """Merge what succeeded, and nothing else; for each, whether it is in the result.

    All merges are announced together, so that the run waits for its journal once. A conflict
    fails the one agent, whose branch is kept. A branch that moved or vanished is nobody's
    fault among the agents and ends the run. What an earlier process of the run had merged is
    not merged again, also if it died before it could say so: the branch knows it.

    Args:
        ended: how each agent ended, in the order of the items.
        herd: what they have in common.
        since: the revision that the run's branch began at.
    """
    finished = [result.unwrap() for result in ended if isinstance(result, Success)]
    pairs = [(agent, request_for(agent, herd)) for agent in finished]
    begun = [herd.past.get(agent.assignment.agent_name) for agent in finished]
    doubtful = any(known is not None and known.work.merging is not None for known in begun)
    found = yield from _found(herd, since).when(doubtful)
    new = [
        pair
        for pair, known in zip(pairs, begun, strict=True)
        if known is None or not told(known, MergeStarted)
    ]
    yield from note(*starmap(_announced, new))
    yield from _last_branch_dropped(finished, herd)
    return (yield from traverse(pairs, lambda pair: _settle(*pair, herd, found or {})))


def _last_branch_dropped(
    finished: Sequence[Finished], herd: Herd
) -> Effect[None, HostError, MapEnv]:
    """A merge is told before its branch is dropped, so the last one told may still have it."""
    known = ((herd.past.get(agent.assignment.agent_name), agent) for agent in finished)
    ended = {past.story[-1].sequence: agent for past, agent in known if past and past.ended_at}
    if not ended:
        return succeed(None)
    return drop_branch(ended[max(ended)].branch).map_error(fatal)


def _found(herd: Herd, since: str) -> Effect[Mapping[str, Trace], HostError, HasMerges]:
    """The merges that the run's branch knows of, by agent."""

    def by_agent(traces: Sequence[Trace]) -> Mapping[str, Trace]:
        known = ((dict(trace.trailers), trace) for trace in traces)
        return {t[AGENT]: trace for t, trace in known if t.get(RUN) == herd.run and AGENT in t}

    return traces_on(herd.parent, since).map_error(fatal).map(by_agent)


def _settle(
    agent: Finished, request: MergeRequest, herd: Herd, found: Mapping[str, Trace]
) -> Effect[bool, HostError, MapEnv]:
    """What is left to do of one merge."""
    name = agent.assignment.agent_name
    known = herd.past.get(name)
    trace = found.get(name)
    if known is not None and known.status is StepStatus.COMPLETED:
        return succeed(True)
    if known is not None and known.work.conflict is not None:
        return _refused(agent, known.work.conflict, herd)
    if known is not None and known.work.merged is not None:
        return _closed(agent)
    if trace is not None:
        done = Merge(target=request.target, before=trace.before, commit=trace.commit)
        return put_away(agent, herd).and_then(lambda _: _recorded(agent, done))
    return _merge(agent, request, herd)


def _refused(
    agent: Finished, conflict: MergeFailed, herd: Herd, *before: Payload
) -> Effect[bool, HostError, MapEnv]:
    """A merge that did not happen fails the one agent, whose branch is kept."""
    name, message = conflict.subject, conflict.message
    failed = StepFailed(subject=name, message=message or conflict.fault)
    moved = Moved(subject=name, to=StepStatus.FAILED, message=message)
    return note(*before, moved, letter(name, failed, agent.branch, herd.masker)).as_(False)


def _recorded(agent: Finished, merged: Merge) -> Effect[bool, HostError, MapEnv]:
    told = Merged(
        subject=agent.assignment.agent_name,
        target=merged.target,
        before=merged.before,
        commit=merged.commit,
    )
    return _completed(agent, told).as_(True) if merged.dropped else _closed(agent, told)


def _closed(agent: Finished, *before: Payload) -> Effect[bool, HostError, MapEnv]:
    dropped = drop_branch(agent.branch).map_error(fatal)
    return _completed(agent, *before).and_then(lambda _: dropped).as_(True)


def _completed(agent: Finished, *before: Payload) -> Effect[object, HostError, MapEnv]:
    return note(*before, Moved(subject=agent.assignment.agent_name, to=StepStatus.COMPLETED))


def _announced(agent: Finished, request: MergeRequest) -> MergeStarted:
    name = agent.assignment.agent_name
    return MergeStarted(subject=name, source=request.source, target=request.target)


@do
def _merge(agent: Finished, request: MergeRequest, herd: Herd) -> Do[bool, HostError, MapEnv]:
    outcome = yield from _merged(agent, request, herd).settled()
    if isinstance(outcome, Failure):
        error = outcome.failure()
        if isinstance(error, HostError):
            return (yield from fail(error))
        return (yield from _unmerged(agent, error, herd))
    return (yield from _recorded(agent, outcome.unwrap()))


@do
def _merged(
    agent: Finished, request: MergeRequest, herd: Herd
) -> Do[Merge, MergeError | HostError, MapEnv]:
    """Merge in memory; a conflict is for the steps that resolve it, if there are any."""
    outcome = yield from merge(request).settled()
    if isinstance(outcome, Failure):
        error = outcome.failure()
        if herd.resolve and error.fault is MergeFault.CONFLICT:
            return (yield from resolved(agent, request, error, herd))
        return (yield from fail(error))
    return outcome.unwrap()


def request_for(agent: Finished, herd: Herd) -> MergeRequest:
    """What to merge, with the trailers by which a resumed run knows it again."""
    assignment = agent.assignment
    return MergeRequest(
        target=herd.parent,
        source=agent.head,
        base=agent.base,
        message=f"Merge {assignment.agent_name}: {herd.label_of(assignment)}",
        trailers=(
            (RUN, herd.run),
            (AGENT, assignment.agent_name),
            ("Anabranch-Item", str(assignment.id)),
        ),
        linear=herd.linear,
        drops=agent.branch,
    )


def _unmerged(agent: Finished, error: MergeError, herd: Herd) -> Effect[bool, HostError, MapEnv]:
    if error.fault not in {MergeFault.CONFLICT, MergeFault.UNRELATED}:
        return fail(fatal(error))
    told = MergeFailed(
        subject=agent.assignment.agent_name,
        fault=error.fault.value,
        message=error.message,
        conflicts=tuple(conflict.path for conflict in error.conflicts),
    )
    return _refused(agent, told, herd, told)
