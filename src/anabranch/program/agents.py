"""An assignment → effect: an agent in a worktree of its own, from its creation to its commits.

Whatever happens to an agent happens to it alone: its failure is a value, its worktree is
taken away, and the commits of one that failed are kept on its branch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Never, TypeAlias

from attrs import frozen
from returns.result import Failure

from anabranch.effects import Do, Effect, ReleaseError, bracket, do, fail, now, sleep
from anabranch.effects.work import (
    committed_in,
    create_worktree,
    drop_branch,
    remove_worktree,
    reopen_worktree,
    start_branch,
)
from anabranch.environment import Changes, MapEnv, Worktree, WorktreeError
from anabranch.lifecycle import (
    Committed,
    Moved,
    StopReason,
    StopRequested,
    Subject,
    WorktreeCreated,
    WorktreeRemoved,
)
from anabranch.planning import AttemptFailure, RetryAfter, Stop, StopCause, WorkAssignment
from anabranch.program.faults import fatal, note
from anabranch.program.herds import AgentError, Finished, Herd, letter
from anabranch.program.oversight import Oversight
from anabranch.program.past import given_up, next_attempt, takes_of, was_announced, way_back
from anabranch.program.places import Place, StepFailed
from anabranch.program.steps import run_steps
from anabranch.values import HostError, Json, StepStatus


@frozen
class Stopped:
    """An agent that failed, whether it leaves commits behind, and whether it ever started."""

    error: AgentError
    commits: bool = False
    called_off: bool = False


@frozen(kw_only=True)
class Take:
    """One start of an agent: the number of the attempt, and of all its starts, from 1."""

    number: int
    of: int

    def next(self) -> Take:
        """The attempt after this."""
        return Take(number=self.number + 1, of=self.of + 1)


_Ending: TypeAlias = Stopped | HostError | ReleaseError[Stopped, HostError]
"""How an agent can end badly: in its work, in taking its worktree away, or in both."""


@do
def run_agent(assignment: WorkAssignment, herd: Herd) -> Do[Finished, AgentError, MapEnv]:
    """Start an agent, and again as long as the policy says so."""
    name = assignment.agent_name
    known = herd.past.get(name)
    take = Take(number=next_attempt(known), of=takes_of(known) + 1)
    back = [*given_up(herd.inside(name)), *way_back(known, name)]
    return (yield from _tried(assignment, herd, take, back, 0.0))


@do
def _tried(
    assignment: WorkAssignment, herd: Herd, take: Take, back: Sequence[Moved], spent: float
) -> Do[Finished, AgentError, MapEnv]:
    """Make an attempt, and another as long as the policy says so; `spent` is their time so far."""
    began = yield from now()
    attempt = _attempt(assignment, herd, take, back)
    outcome = yield from herd.oversight.guarded(attempt).settled()
    if not isinstance(outcome, Failure):
        herd.oversight.completed()
        return outcome.unwrap()
    stopped, spent = _stopped(outcome.failure()), spent + (yield from now()) - began
    return (yield from judged(assignment, herd, stopped, take, spent))


@do
def judged(
    assignment: WorkAssignment, herd: Herd, stopped: Stopped, take: Take, spent: float
) -> Do[Finished, AgentError, MapEnv]:
    """Do what the policy says about an attempt that failed."""
    if stopped.called_off or isinstance(stopped.error, HostError):
        keep = not stopped.called_off
        return (yield from _ended_badly(assignment, herd, stopped, keep=keep))
    was_stopped = herd.oversight.stopped is not None
    decision = herd.oversight.decided(_failure(assignment, stopped.error, take, spent))
    if not isinstance(decision, RetryAfter):
        stops, keep = isinstance(decision, Stop) and not was_stopped, decision.keep
        return (yield from _ended_badly(assignment, herd, stopped, keep=keep, stops=stops))
    yield from _retrying(assignment, herd, stopped.error, decision.delay)
    queued = Moved(subject=assignment.agent_name, to=StepStatus.QUEUED)
    spent += decision.delay.total_seconds()
    return (yield from _tried(assignment, herd, take.next(), [queued], spent))


@do
def _attempt(
    assignment: WorkAssignment, herd: Herd, take: Take, back: Sequence[Moved]
) -> Do[Finished, _Ending, MapEnv]:
    name, worker = assignment.agent_name, assignment.worktree_name
    if herd.oversight.stopped is not None:
        yield from _put_away(assignment, herd, [move for move in back if move.subject != name])
        message = f"not started: the run was stopped by `{herd.oversight.stopped}`"
        yield from fail(Stopped(StepFailed(subject=name, message=message), called_off=True))
    yield from note(
        *back, Moved(subject=name, to=StepStatus.RUNNING, attempt=take.number, worker=worker)
    )
    worked: Effect[Finished, _Ending, MapEnv] = bracket(
        _created(assignment, herd),
        release=removed,
        use=lambda tree: _worked(assignment, herd, tree, take),
    )
    return (yield from worked.on_interrupt(_dropped_if_empty(assignment, herd)))


@do
def _put_away(
    assignment: WorkAssignment, herd: Herd, closing: Sequence[Moved]
) -> Do[None, HostError, MapEnv]:
    """Put away what an earlier process of the run had begun of an agent that does not go on.

    The journal need not know of it: what was told last may be lost.
    """
    if not herd.resumed:
        return
    name = assignment.worktree_name
    tree = yield from reopen_worktree(name, parent=herd.parent).map_error(fatal)
    if tree is not None:
        yield from removed(tree)
    yield from drop_branch(herd.branch(assignment)).map_error(fatal)
    yield from note(*closing)


def _failure(
    assignment: WorkAssignment, error: AgentError, take: Take, elapsed: float
) -> AttemptFailure:
    ended = error.ended if isinstance(error, StepFailed) else None
    return AttemptFailure(
        agent=assignment.agent_name,
        attempt=take.number,
        elapsed=timedelta(seconds=elapsed),
        error=str(error) if ended is None else f"{error}\n{ended.tail}",
    )


@do
def _retrying(
    assignment: WorkAssignment, herd: Herd, error: AgentError, delay: timedelta
) -> Do[None, HostError, MapEnv]:
    """Wait for another attempt. It begins where the first one began: nothing is kept of this."""
    name = assignment.agent_name
    yield from drop_branch(herd.branch(assignment)).settled()
    yield from note(Moved(subject=name, to=StepStatus.RETRYING, message=str(error), delay=delay))
    yield from sleep(delay)


@do
def _dropped_if_empty(assignment: WorkAssignment, herd: Herd) -> Do[None, Never, MapEnv]:
    """Leave no branch behind that holds nothing."""
    branch = herd.branch(assignment)
    parent = yield from start_branch(herd.parent).settled()
    tip = yield from start_branch(branch, herd.parent).settled()
    if parent == tip:
        yield from drop_branch(branch).settled()


def _created(assignment: WorkAssignment, herd: Herd) -> Effect[Worktree, Stopped, MapEnv]:
    def failed(error: WorktreeError) -> Stopped:
        return Stopped(StepFailed(subject=assignment.agent_name, message=str(error)))

    return create_worktree(
        assignment.worktree_name,
        parent=herd.parent,
        branch=herd.branch(assignment),
        carry=herd.carry,
    ).map_error(failed)


@do
def removed(tree: Worktree) -> Do[None, HostError, MapEnv]:
    """Take a worktree away, and tell."""
    yield from remove_worktree(tree).map_error(fatal)
    yield from note(WorktreeRemoved(subject=tree.name, path=tree.path))


@do
def _worked(
    assignment: WorkAssignment, herd: Herd, tree: Worktree, take: Take
) -> Do[Finished, Stopped, MapEnv]:
    """Run the steps; a failure says whether there are commits to keep."""
    finished = yield from _finished(assignment, herd, tree, take).settled()
    if isinstance(finished, Failure):
        looked = yield from committed_in(tree).settled()
        kept = isinstance(looked, Failure) or bool(looked.unwrap().commits)
        yield from fail(Stopped(finished.failure(), commits=kept))
    return finished.unwrap()


@do
def _finished(
    assignment: WorkAssignment, herd: Herd, tree: Worktree, take: Take
) -> Do[Finished, AgentError, MapEnv]:
    name, branch = assignment.agent_name, herd.branch(assignment)
    made = WorktreeCreated(subject=name, path=tree.path, base=tree.base, branch=branch)
    yield from run_steps(herd.steps, _place(assignment, herd, tree, take), made)
    changes = yield from committed_in(tree).map_error(fatal)
    yield from note(*committed(name, changes), Moved(subject=name, to=StepStatus.VALIDATING))
    return Finished(assignment=assignment, branch=branch, base=tree.base, head=changes.head)


def _place(assignment: WorkAssignment, herd: Herd, tree: Worktree, take: Take) -> Place:
    name = assignment.agent_name
    agent: dict[str, Json] = {"name": name, "id": assignment.id}
    return Place(
        worktree=tree,
        scope={**herd.scope, "item": assignment.item, "agent": agent},
        templates=herd.templates,
        phase="map",
        prefix=f"{name}/take[{take.of}]/step" if take.of > 1 else f"{name}/step",
        parent=name,
        run=herd.run,
        key=f"{herd.run}/{name}/step",
        begun=_begun(herd, name),
        in_doubt=herd.in_doubt,
        desk=herd.desk,
        turn=assignment.id,
        masker=herd.masker,
    )


def _begun(herd: Herd, agent: str) -> Mapping[str, Subject]:
    """The steps that earlier takes of an agent may have done, by their key."""
    return {
        f"{herd.run}/{agent}/{step.declared.subject.rpartition('/')[2]}": step
        for step in herd.inside(agent)
        if was_announced(step)
    }


def _stopped(ending: _Ending) -> Stopped:
    """How an agent ended badly, whatever else went wrong besides."""
    match ending:
        case Stopped():
            return ending
        case ReleaseError():
            return ending.use
        case _:
            return Stopped(ending, commits=True)


@do
def _ended_badly(
    assignment: WorkAssignment,
    herd: Herd,
    stopped: Stopped,
    *,
    keep: bool = True,
    stops: bool = False,
) -> Do[Finished, AgentError, MapEnv]:
    """Say why, keep the branch if there is work on it, and put the item aside to be kept."""
    error = stopped.error
    branch = herd.branch(assignment) if stopped.commits else None
    if branch is None and not stopped.called_off:
        yield from drop_branch(herd.branch(assignment)).settled()
    status = error.status if isinstance(error, StepFailed) else StepStatus.FAILED
    name = assignment.agent_name
    moved = Moved(
        subject=name, to=StepStatus.CANCELLED if stopped.called_off else status, message=str(error)
    )
    told = [letter(name, error, branch, herd.masker)] if keep else []
    yield from note(moved, *told, *_stop(herd.oversight, stops=stops))
    return (yield from fail(error))


def _stop(oversight: Oversight, *, stops: bool) -> list[StopRequested]:
    """What is told if no agent starts any more."""
    cause = oversight.stopped
    if not stops or cause is None:
        return []
    limit = cause in {StopCause.MAX_FAILURES, StopCause.FAILURE_THRESHOLD}
    reason = StopReason.LIMIT if limit else StopReason.FAILURE
    return [StopRequested(reason=reason, message=f"stopped by `{cause}`")]


def committed(name: str, changes: Changes) -> list[Committed]:
    """All that an agent committed, told at its last commit."""
    if not changes.commits:
        return []
    files = (*changes.added, *changes.modified, *changes.deleted)
    return [
        Committed(
            subject=name,
            commit=changes.head,
            files=files,
            insertions=changes.insertions,
            deletions=changes.deletions,
        )
    ]
