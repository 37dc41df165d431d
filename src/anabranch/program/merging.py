"""Finished agents → merges, one after the other, in the order of their items."""

from __future__ import annotations

from collections.abc import Sequence

from returns.result import Failure, Result, Success

from anabranch.effects import Do, Effect, do, fail, traverse
from anabranch.effects.work import drop_branch, merge
from anabranch.environment import MapEnv, MergeError, MergeFault, MergeRequest
from anabranch.lifecycle import Merged, MergeFailed, MergeStarted, Moved
from anabranch.program.agents import AgentError, Finished, label_of
from anabranch.program.faults import fatal, note
from anabranch.values import HostError, StepStatus


def merge_all(
    ended: Sequence[Result[Finished, AgentError]], run: str
) -> Effect[list[bool], HostError, MapEnv]:
    """Merge what succeeded, and nothing else; for each, whether it is in the result.

    All merges are announced together, so that the run waits for its journal once. A conflict
    fails the one agent, whose branch is kept. A branch that moved or vanished is nobody's
    fault among the agents and ends the run.
    """
    finished = [result.unwrap() for result in ended if isinstance(result, Success)]
    requests = [request_for(agent, run) for agent in finished]
    announced = note(*map(_announced, finished, requests))
    pairs = list(zip(finished, requests, strict=True))
    return announced.and_then(lambda _: traverse(pairs, lambda pair: _merge(*pair)))


def _announced(agent: Finished, request: MergeRequest) -> MergeStarted:
    name = agent.assignment.agent_name
    return MergeStarted(subject=name, source=request.source, target=request.target)


@do
def _merge(agent: Finished, request: MergeRequest) -> Do[bool, HostError, MapEnv]:
    name = agent.assignment.agent_name
    outcome = yield from merge(request).settled()
    if isinstance(outcome, Failure):
        return (yield from _unmerged(name, outcome.failure()))
    merged = outcome.unwrap()
    yield from note(
        Merged(subject=name, target=merged.target, before=merged.before, commit=merged.commit),
        Moved(subject=name, to=StepStatus.COMPLETED),
    )
    yield from drop_branch(agent.branch).map_error(fatal)
    return True


def request_for(agent: Finished, run: str) -> MergeRequest:
    """What to merge, with the trailers by which a resumed run knows it again."""
    assignment = agent.assignment
    return MergeRequest(
        target=agent.worktree.parent,
        source=agent.changes.head,
        base=agent.worktree.base,
        message=f"Merge {assignment.agent_name}: {label_of(assignment)}",
        trailers=(
            ("Anabranch-Run", run),
            ("Anabranch-Agent", assignment.agent_name),
            ("Anabranch-Item", str(assignment.id)),
        ),
    )


def _unmerged(name: str, error: MergeError) -> Effect[bool, HostError, MapEnv]:
    if error.fault is not MergeFault.CONFLICT:
        return fail(fatal(error))
    told = MergeFailed(
        subject=name,
        fault=error.fault.value,
        message=error.message,
        conflicts=tuple(conflict.path for conflict in error.conflicts),
    )
    moved = Moved(subject=name, to=StepStatus.FAILED, message=error.message)
    return note(told, moved).as_(False)
