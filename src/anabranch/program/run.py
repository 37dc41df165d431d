"""Workflow → effect: setup, map, merge, reduce, deliver.

The run has a branch and a worktree of its own. Setup and reduce run in that worktree;
agents leave the branch and are merged back into it, in the order of their items. The
user's checkout is touched once, by the delivery at the end. What happened is in the
journal, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Never, TypeAlias

from attrs import evolve, frozen
from returns.result import Failure, Result

from anabranch.effects import Do, Effect, bracket, do, fail, now
from anabranch.effects.work import (
    advance_worktree,
    changes_in,
    create_worktree,
    deliver,
    drop_branch,
    merge,
    remove_worktree,
    start_branch,
)
from anabranch.environment import MapEnv, MergeRequest, Oid, Worktree
from anabranch.lifecycle import (
    Delivered,
    DeliveryStarted,
    PhaseEnded,
    PhaseStarted,
    RunCreated,
    RunMoved,
    StopReason,
    StopRequested,
)
from anabranch.program.agents import AgentError, Finished, Herd, run_agents
from anabranch.program.faults import fatal, note
from anabranch.program.items import read_assignments
from anabranch.program.merging import merge_all
from anabranch.program.places import Place, StepFailed
from anabranch.program.steps import run_steps
from anabranch.values import AnabranchError, HostError, Json, RunStatus
from anabranch.workflow import Step, Workflow, digest, to_data


@frozen(kw_only=True)
class Identity:
    """Which run of a workflow this is.

    Attributes:
        run: its id, part of the names of its branches.
        base: the revision that it starts from.
        target: the branch of the user that it is delivered to; `None` if HEAD is detached.
        source: the absolute path of the file that the workflow was read from, if it was.
    """

    run: str
    base: str = "HEAD"
    target: str | None = None
    source: str | None = None

    @property
    def branch(self) -> str:
        """The run's own branch."""
        return f"anabranch/{self.run}/result"


RunFault: TypeAlias = StepFailed | AnabranchError
"""What ends a run before its end: a step of setup or reduce, the input, or the machine."""


def program(workflow: Workflow, identity: Identity) -> Effect[RunStatus, AnabranchError, MapEnv]:
    """The effect of a workflow: the one function that every mode goes through.

    Returns:
        How the run ended: `completed`, `partial` (some items failed) or `failed` (setup or
        reduce did). An input that is no input, or a machine that does not do its part, is
        a failure. Interrupted from outside, it leaves the journal `interrupted`, so that
        the run can be resumed; its processes and worktrees are gone all the same.
    """
    created = RunCreated(
        run=identity.run,
        workflow=workflow.name,
        digest=digest(workflow),
        branch=identity.branch,
        base=identity.base,
        target=identity.target,
        definition=to_data(workflow),
        source=identity.source,
        limits={"agents": workflow.map.max_parallel},
    )
    begun = note(created, RunMoved(to=RunStatus.RUNNING))
    return begun.and_then(lambda _: _run(workflow, identity))


@do
def _run(workflow: Workflow, identity: Identity) -> Do[RunStatus, AnabranchError, MapEnv]:
    base = yield from start_branch(identity.branch, identity.base).map_error(fatal)
    worked = _in_own_worktree(workflow, identity)
    whole = worked.and_then(lambda count: _delivered(identity, count))
    ended = yield from whole.on_interrupt(_interrupted(identity, base)).settled()
    if isinstance(ended, Failure):
        return (yield from _given_up(identity, base, ended.failure()))
    return ended.unwrap()


def _in_own_worktree(workflow: Workflow, identity: Identity) -> Effect[int, RunFault, MapEnv]:
    """Run the phases in a worktree that is gone afterwards; how many agents failed."""
    created: Effect[Worktree, RunFault, MapEnv] = create_worktree(
        "run", parent=identity.branch
    ).map_error(fatal)
    return bracket(
        created,
        release=lambda tree: remove_worktree(tree).settled(),
        use=lambda tree: _phases(workflow, identity, tree),
    )


@do
def _phases(workflow: Workflow, identity: Identity, tree: Worktree) -> Do[int, RunFault, MapEnv]:
    scope: dict[str, Json] = {"workflow": {"name": workflow.name, "run": identity.run}}
    deadline = None
    if workflow.setup_timeout is not None:
        deadline = (yield from now()) + workflow.setup_timeout.total_seconds()
    place = Place(
        worktree=tree,
        scope=scope,
        templates=workflow.template,
        phase="setup",
        prefix="setup",
        deadline=deadline,
    )
    yield from _phase(workflow.setup, place)
    assignments = yield from read_assignments(workflow.map, tree)
    yield from note(PhaseStarted(phase="map"))
    herd = Herd(
        run=identity.run,
        parent=identity.branch,
        carry=tree.path,
        template=workflow.map.agent_template,
        scope=scope,
        templates=workflow.template,
    )
    ended = yield from run_agents(assignments, herd, workflow.map.max_parallel)
    yield from note(PhaseEnded(phase="map"), PhaseStarted(phase="merge"))
    merged = yield from merge_all(ended, identity.run)
    yield from note(PhaseEnded(phase="merge"))
    yield from _brought_forward(identity, tree)
    counted = _counted(ended, sum(merged))
    reducing = evolve(
        place, scope={**scope, "map": counted}, phase="reduce", prefix="reduce", deadline=None
    )
    yield from _phase(workflow.reduce, reducing)
    return len(ended) - sum(merged)


@do
def _phase(steps: Sequence[Step], place: Place) -> Do[None, RunFault, MapEnv]:
    """Run the steps of a phase in the run's worktree; what they commit is on the run's branch."""
    if not steps:
        return
    yield from note(PhaseStarted(phase=place.phase))
    ran = yield from run_steps(steps, place).settled()
    if isinstance(ran, Failure):
        yield from note(PhaseEnded(phase=place.phase, ok=False))
        yield from fail(ran.failure())
    yield from _kept(place.phase, place.worktree)
    yield from note(PhaseEnded(phase=place.phase))


@do
def _kept(name: str, tree: Worktree) -> Do[None, HostError, MapEnv]:
    """Put what a phase committed in the run's worktree onto the run's branch."""
    changes = yield from changes_in(tree).map_error(fatal)
    request = MergeRequest(
        target=tree.parent,
        source=changes.head,
        base=tree.base,
        message=f"Merge what {name} committed",
        fast_forward=True,
    )
    yield from merge(request).map_error(fatal)


@do
def _brought_forward(identity: Identity, tree: Worktree) -> Do[None, HostError, MapEnv]:
    """Bring the run's worktree to the tip of the run's branch, with all that was merged."""
    tip = yield from start_branch(identity.branch).map_error(fatal)
    yield from advance_worktree(tree, tip).map_error(fatal)


def _counted(ended: Sequence[Result[Finished, AgentError]], merged: int) -> Json:
    """What `reduce` can say about the map phase: `${map.successful}` and so on."""
    total = len(ended)
    return {"total": total, "successful": merged, "failed": total - merged}


@do
def _delivered(identity: Identity, failures: int) -> Do[RunStatus, RunFault, MapEnv]:
    """Bring the user's checkout forward, once, all at once."""
    yield from note(PhaseStarted(phase="deliver"), DeliveryStarted(branch=identity.branch))
    delivery = yield from deliver(identity.branch).map_error(fatal)
    told = Delivered(
        commit=delivery.commit,
        delivered=delivery.delivered,
        branch=delivery.branch,
        reason=delivery.reason,
        hint=delivery.hint,
    )
    status = RunStatus.PARTIAL if failures else RunStatus.COMPLETED
    yield from note(told, PhaseEnded(phase="deliver"), RunMoved(to=status))
    return status


@do
def _interrupted(identity: Identity, base: Oid) -> Do[None, Never, MapEnv]:
    """Tell the journal, if it can still be told, that the run was stopped from outside."""
    stopped = note(StopRequested(reason=StopReason.SIGNAL), RunMoved(to=RunStatus.INTERRUPTED))
    yield from stopped.settled()
    yield from _left(identity, base, "the run was interrupted").settled()


@do
def _given_up(
    identity: Identity, base: Oid, fault: RunFault
) -> Do[RunStatus, AnabranchError, MapEnv]:
    """The run failed: say so, and pass on what is not a step's fault."""
    yield from note(RunMoved(to=RunStatus.FAILED, reason=str(fault))).settled()
    yield from _left(identity, base, "the run failed").settled()
    if isinstance(fault, StepFailed):
        return RunStatus.FAILED
    return (yield from fail(fault))


@do
def _left(identity: Identity, base: Oid, reason: str) -> Do[None, HostError, MapEnv]:
    """Keep the run's branch if there is anything on it, and say where it is."""
    tip = yield from start_branch(identity.branch, base).map_error(fatal)
    if tip == base:
        yield from drop_branch(identity.branch).map_error(fatal)
        return
    kept = Delivered(
        commit=tip,
        delivered=False,
        branch=identity.branch,
        reason=reason,
        hint=f"git merge {identity.branch}",
    )
    yield from note(kept)
