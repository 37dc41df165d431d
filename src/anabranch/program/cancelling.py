"""A run that nobody works on, and nobody will: put away, and said to be cancelled.

What was committed stays: on the run's branch what was merged and what `setup` and `reduce` had
done, on an agent's branch what was not merged. What was not committed goes. That the run is to be
cancelled is told first, before anything goes; that it is, last, all at once. A run whose cancelling
was killed says so in between, and can be cancelled again.
"""

from __future__ import annotations

from collections.abc import Iterator

from anabranch.effects import Do, Effect, do, traverse
from anabranch.effects.work import drop_branch, remove_worktree, reopen_worktree, start_branch
from anabranch.environment import MapEnv
from anabranch.lifecycle import (
    STEP_TERMINAL,
    Moved,
    Payload,
    RunMoved,
    RunState,
    StopReason,
    StopRequested,
    Subject,
    SubjectKind,
    WorktreeCreated,
    WorktreeRemoved,
)
from anabranch.program.faults import fatal, note
from anabranch.program.own_worktree import NAME
from anabranch.program.past import closing, last_tree
from anabranch.program.resolving import tree_for_conflict
from anabranch.program.run import Identity, died, keep, left_on
from anabranch.values import HostError, RunStatus, StepStatus

_WHY = "the run was cancelled"

_STOP = StopRequested(reason=StopReason.CANCELLED, message=_WHY)


@do
def cancellation(identity: Identity, past: RunState) -> Do[tuple[str, ...], HostError, MapEnv]:
    """The effect that cancels a run of which no process is alive.

    Args:
        identity: which run.
        past: the fold of its journal; it was created, and has not ended.

    Returns:
        The branches that hold work which was not delivered, the run's own first.
    """
    yield from note(*died(past), _STOP)
    agents = [s for s in past.subjects.values() if s.declared.kind is SubjectKind.AGENT]
    gone = yield from traverse(agents, lambda agent: _removed(agent, identity))
    yield from _own_removed(identity)
    kept = yield from traverse(agents, lambda agent: _kept(agent, identity))
    left = yield from left_on(identity.branch, identity.base, _WHY)
    yield from note(*(told for each in gone for told in each), *_told(past, left))
    own = [identity.branch] if left else []
    return (*own, *(branch for each in kept for branch in each))


@do
def _removed(agent: Subject, identity: Identity) -> Do[list[WorktreeRemoved], HostError, MapEnv]:
    """Take away the worktrees of an agent: one is made before it can be told."""
    name = agent.declared.subject
    yield from _taken(tree_for_conflict(name), identity)
    path = yield from _taken(name, identity)
    if path is None or agent.work.worktree is None:
        return []
    return [WorktreeRemoved(subject=name, path=path)]


@do
def _taken(name: str, identity: Identity) -> Do[str | None, HostError, MapEnv]:
    tree = yield from reopen_worktree(name, parent=identity.branch).map_error(fatal)
    if tree is None:
        return None
    yield from remove_worktree(tree).map_error(fatal)
    return tree.path


@do
def _own_removed(identity: Identity) -> Do[None, HostError, MapEnv]:
    """Take the run's own worktree away, once what was committed there is on its branch."""
    yield from start_branch(identity.branch, identity.base).map_error(fatal)
    tree = yield from reopen_worktree(NAME, parent=identity.branch).map_error(fatal)
    if tree is not None:
        yield from keep("the run", tree)
        yield from remove_worktree(tree).map_error(fatal)


def _kept(agent: Subject, identity: Identity) -> Effect[list[str], HostError, MapEnv]:
    """The branch of an agent, if it holds what was not merged; else it goes."""
    branch = f"anabranch/{identity.run}/{agent.declared.subject}"
    if agent.status is StepStatus.COMPLETED or agent.work.merged is not None:
        return drop_branch(branch).map_error(fatal).as_(list[str]())
    return _held(branch, last_tree(agent))


@do
def _held(branch: str, tree: WorktreeCreated | None) -> Do[list[str], HostError, MapEnv]:
    """The branch, if something was committed there: nothing was without a worktree."""
    if tree is not None and tree.base is not None:
        head = yield from start_branch(branch, tree.base).map_error(fatal)
        if head != tree.base:
            return [branch]
    yield from drop_branch(branch).map_error(fatal)
    return []


def _told(past: RunState, left: tuple[Payload, ...]) -> Iterator[Payload]:
    """What is told at the end: nothing is under way any more."""
    yield RunMoved(to=RunStatus.RUNNING, reason="to be cancelled")
    yield _STOP
    for name, subject in past.subjects.items():
        if subject.work.merged is not None and subject.status is StepStatus.VALIDATING:
            yield from closing(subject)
        elif subject.status not in STEP_TERMINAL:
            yield Moved(subject=name, to=StepStatus.CANCELLED, message=_WHY)
    yield from left
    yield RunMoved(to=RunStatus.CANCELLED, reason=_WHY)
