"""Workflow → effect: setup, map, merge, reduce, deliver.

The run has a branch and a worktree of its own. Setup and reduce run in that worktree;
agents leave the branch and are merged back into it, in the order of their items. The
user's checkout is touched once, by the delivery at the end. What happened is in the
journal, and nowhere else.

A run that was interrupted goes through the same program again, with what its journal says of
the past: what was done is passed by, what was in flight is settled first. So there is no
second program for resuming, and nothing that only resuming can do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Never, TypeAlias, TypeVar

from attrs import evolve, frozen
from returns.result import Failure, Result, Success

from anabranch.effects import Desk, Do, Effect, Exit, bracket, do, fail, from_result, now, succeed
from anabranch.effects.core import Bracket
from anabranch.effects.work import (
    advance_worktree,
    committed_in,
    deliver,
    drop_branch,
    head_of,
    merge,
    remove_worktree,
    start_branch,
)
from anabranch.environment import MapEnv, MergeRequest, Worktree
from anabranch.lifecycle import (
    EMPTY,
    Delivered,
    DeliveryStarted,
    Masker,
    Payload,
    PhaseEnded,
    PhaseStarted,
    Redefined,
    RunCreated,
    RunMoved,
    RunState,
    StopReason,
    StopRequested,
    SubjectKind,
)
from anabranch.planning.policies import goes_on
from anabranch.program.faults import fatal, note
from anabranch.program.git_state import GitState, state_between
from anabranch.program.herds import AgentError, Finished, Herd
from anabranch.program.items import assignments_for
from anabranch.program.merging import merge_all
from anabranch.program.oversight import Oversight, tally_of
from anabranch.program.own_worktree import no_worktree, own_worktree
from anabranch.program.past import Standing, standing_of
from anabranch.program.places import Place, StepFailed, failure_of
from anabranch.program.slates import captured_in
from anabranch.program.step_lists import listed
from anabranch.program.steps import run_steps
from anabranch.program.taking_up import run_agents
from anabranch.values import AnabranchError, HostError, Json, RunStatus, StepStatus
from anabranch.workflow import (
    AGENT_POOL,
    History,
    Step,
    Workflow,
    digest,
    refers_to_changes,
    to_data,
)

T = TypeVar("T")
E = TypeVar("E")


@frozen(kw_only=True)
class Identity:
    """Which run of a workflow this is.

    Attributes:
        run: its id, part of the names of its branches.
        base: the revision that it starts from.
        target: the branch of the user that it is delivered to; `None` if HEAD is detached.
        source: the absolute path of the file that the workflow was read from, if it was.
        parent: the run whose dead letters this one retries, if it does.
        items: what it works on in the place of the workflow's input; `None` is the input.
    """

    run: str
    base: str = "HEAD"
    target: str | None = None
    source: str | None = None
    parent: str | None = None
    items: tuple[Json, ...] | None = None

    @classmethod
    def of(cls, created: RunCreated) -> Identity:
        """The identity of a run that was begun before."""
        return cls(
            run=created.run,
            base=created.base or "HEAD",
            target=created.target,
            source=created.source,
            parent=created.parent,
            items=tuple(created.items) if isinstance(created.items, list | tuple) else None,
        )

    @property
    def branch(self) -> str:
        """The run's own branch."""
        return f"anabranch/{self.run}/result"


RunFault: TypeAlias = StepFailed | AnabranchError
"""What ends a run before its end: a step of setup or reduce, the input, or the machine."""

_NO_AGENTS: Final = 2
"""Worktrees that no agent works in: the run's own, and the one that others are copied from."""

_Whole: TypeAlias = Result[tuple[str, Result[RunStatus, RunFault]], HostError]


@frozen(kw_only=True)
class Job:
    """A run, as all of its phases see it.

    Attributes:
        workflow: what runs.
        identity: which run of it this is.
        past: what an earlier process of the run had done; `EMPTY` if there was none.
        masker: what is secret.
        worktrees: how many there may be at once; `None` is no limit.
    """

    workflow: Workflow
    identity: Identity
    past: RunState
    masker: Masker
    worktrees: int | None

    @property
    def agents(self) -> int:
        """How many agents may run at once: at least one, whatever it takes."""
        most = self.workflow.map.max_parallel
        return most if self.worktrees is None else max(1, min(most, self.worktrees - _NO_AGENTS))

    def ended(self, phase: str) -> bool:
        """Whether an earlier process had come to the end of a phase."""
        known = self.past.phases.get(phase)
        return known is not None and known.ok is True


def program(
    workflow: Workflow,
    identity: Identity,
    past: RunState | None = None,
    *,
    masker: Masker | None = None,
    worktrees: int | None = None,
) -> Effect[RunStatus, AnabranchError, MapEnv]:
    """The effect of a workflow: the one function that every mode goes through.

    Args:
        workflow: what runs.
        identity: which run of it this is.
        past: the fold of the run's journal, if it was interrupted. What was done is not done
            again; what was in flight is done as its policy says; nothing is merged twice.
        masker: what is secret; `None` is nothing but what has the usual forms.
        worktrees: how many there may be at once, that of the run and one to copy from included;
            `None` is no limit but the workflow's own. One agent there always is.

    Returns:
        How the run ended: `completed`, `partial` (some items failed) or `failed` (setup or
        reduce did). An input that is no input, or a machine that does not do its part, is
        a failure. Interrupted from outside or failed by the machine, it leaves the journal
        `interrupted` and its own worktree in place, so that the run can be resumed.
    """
    job = Job(
        workflow=workflow,
        identity=identity,
        past=past or EMPTY,
        masker=masker or Masker(),
        worktrees=worktrees,
    )
    # As what is acquired, the opening is not interrupted, and from then on whoever is told to stop
    # says so: before it could not, since the journal would not know the run yet.
    whole: Effect[_Whole, AnabranchError, MapEnv] = Bracket(
        note(*_opening(job)), _told_to_stop, lambda _: _whole(job).settled()
    )
    return whole.and_then(lambda outcome: _ended(job, outcome))


def _told_to_stop(_: object, exit_: Exit) -> Effect[None, Never, MapEnv]:
    return _interrupted("told to stop") if exit_ is Exit.RAISED else succeed(None)


def _opening(job: Job) -> list[Payload]:
    """What is told before anything else: that the run begins, or goes on."""
    created, now = job.past.created, digest(job.workflow)
    if created is None:
        return [_created(job.workflow, job.identity, now), RunMoved(to=RunStatus.RUNNING)]
    other = now != created.digest
    changed = [Redefined(digest=now, definition=to_data(job.workflow))] if other else []
    return [*died(job.past), *changed, RunMoved(to=RunStatus.RUNNING, reason="resumed")]


def died(past: RunState) -> list[RunMoved]:
    """What the process of a run could not tell any more when it was killed."""
    if past.status not in (RunStatus.RUNNING, RunStatus.PAUSED):
        return []
    return [RunMoved(to=RunStatus.INTERRUPTED, reason="its process ended")]


def _created(workflow: Workflow, identity: Identity, name: str) -> RunCreated:
    return RunCreated(
        run=identity.run,
        workflow=workflow.name,
        digest=name,
        branch=identity.branch,
        base=identity.base,
        target=identity.target,
        definition=to_data(workflow),
        source=identity.source,
        parent=identity.parent,
        items=identity.items,
        limits={AGENT_POOL: workflow.map.max_parallel, **workflow.resources.pools},
        continue_on_failure=goes_on(workflow.map.failure_policy),
    )


@do
def _ended(job: Job, outcome: _Whole) -> Do[RunStatus, AnabranchError, MapEnv]:
    if isinstance(outcome, Failure):
        return (yield from _given_up(job, job.identity.base, outcome.failure()))
    base, ended = outcome.unwrap()
    if isinstance(ended, Failure):
        return (yield from _given_up(job, base, ended.failure()))
    status = ended.unwrap()
    told = note(RunMoved(to=status))
    return (yield from bracket(told, lambda _: succeed(None), lambda _: succeed(status)))


@do
def _whole(job: Job) -> Do[tuple[str, Result[RunStatus, RunFault]], HostError, MapEnv]:
    """All that can be interrupted: where the run began, and how it ended."""
    base = job.identity.base
    if job.past.delivered is None:
        start = yield from start_branch(job.identity.branch, base).map_error(fatal)
        base = start if job.past.created is None else base
    worked = _worked(job).and_then(lambda count: _delivered(job, count))
    return base, (yield from worked.settled())


def _worked(job: Job) -> Effect[int, RunFault, MapEnv]:
    """Everything before the delivery; how many agents failed."""
    last = "reduce" if job.workflow.reduce else "merge"
    failed = _known_failure(job)
    if failed is None and not job.ended(last):
        return _in_worktree(job)
    # From here on the worktree of the run may be gone, and nothing in it is needed any more.
    tidied = no_worktree(job.identity.branch)
    return tidied.as_(_failures(job.past)) if failed is None else tidied.and_then(_failing(failed))


def _failing(failed: StepFailed) -> Callable[[None], Effect[Never, StepFailed, object]]:
    return lambda _: fail(failed)


def _known_failure(job: Job) -> StepFailed | None:
    """What had ended the run before its end, if an earlier process came so far."""
    for name, phase in job.past.phases.items():
        if phase.ok is False:
            return _failure_in(job, name)
    return _call_off(_oversight(job)) if job.ended("merge") else None


def _failure_in(job: Job, phase: str) -> StepFailed:
    """The first step of a phase that failed and had to succeed."""
    steps = (s for s in job.past.subjects.values() if s.declared.phase == phase)
    failed = next((step for step in steps if standing_of(step) is Standing.FAILED), None)
    return StepFailed(subject=phase, message="it failed") if failed is None else failure_of(failed)


def _oversight(job: Job) -> Oversight:
    return Oversight(job.workflow.map.failure_policy, tally_of(job.past.subjects.values()))


def _call_off(oversight: Oversight) -> StepFailed | None:
    """The failure of a run whose agents were stopped by their failure policy."""
    if oversight.stopped is None:
        return None
    message = f"stopped by `{oversight.stopped}`: {oversight.tally.failed} items failed"
    return StepFailed(subject="map", message=message)


def _failures(past: RunState) -> int:
    agents = (s for s in past.subjects.values() if s.declared.kind is SubjectKind.AGENT)
    return sum(agent.status is not StepStatus.COMPLETED for agent in agents)


@do
def _in_worktree(job: Job) -> Do[int, RunFault, MapEnv]:
    """Run the phases, then take the worktree away; it stays if the run is to be resumed."""
    tree = yield from own_worktree(job.identity.branch, job.past)
    worked = yield from _phases(job, tree).settled()
    if isinstance(worked, Failure) and isinstance(worked.failure(), HostError):
        yield from fail(worked.failure())
    yield from remove_worktree(tree).map_error(fatal)
    return (yield from from_result(worked))


@do
def _phases(job: Job, tree: Worktree) -> Do[int, RunFault, MapEnv]:
    workflow, identity = job.workflow, job.identity
    scope: dict[str, Json] = {"workflow": {"name": workflow.name, "run": identity.run}}
    deadline = None
    if workflow.setup_timeout is not None:
        deadline = (yield from now()) + workflow.setup_timeout.total_seconds()
    desk = Desk(workflow.resources)
    preparing = _place(job, "setup", tree, scope, desk=desk, deadline=deadline)
    scope.update((yield from _phase(job, workflow.setup, preparing)))
    oversight = _oversight(job)
    herd = Herd(
        run=identity.run,
        parent=identity.branch,
        carry=tree.path,
        template=workflow.map.agent_template,
        scope=scope,
        templates=workflow.template,
        past=job.past.subjects,
        resumed=job.past.created is not None,
        in_doubt=job.workflow.in_doubt,
        linear=workflow.merge.history is History.LINEAR,
        resolve=workflow.merge.resolve,
        desk=desk,
        oversight=oversight,
        masker=job.masker,
    )
    assignments = yield from assignments_for(
        workflow.map, tree, identity.items, job.past, job.masker
    )
    ended = yield from _told("map", job, run_agents(assignments, herd, job.agents))
    merged = yield from _told("merge", job, merge_all(ended, herd, identity.base))
    if (called_off := _call_off(oversight)) is not None:
        yield from fail(called_off)
    if workflow.reduce and "reduce" not in job.past.phases:
        yield from _brought_forward(identity, tree)
    done = yield from _done_by_agents(workflow, ended, tree)
    after = {**scope, "map": {**_counted(ended, sum(merged)), **done.as_data()}}
    yield from _phase(job, workflow.reduce, _place(job, "reduce", tree, after, desk=desk))
    return len(ended) - sum(merged)


@do
def _told(name: str, job: Job, work: Effect[T, E, MapEnv]) -> Do[T, E | HostError, MapEnv]:
    """Do the work of a phase, and tell when it begins and ends, unless it was told before."""
    if job.ended(name):
        return (yield from work)
    yield from note(PhaseStarted(phase=name))
    done = yield from work
    yield from note(PhaseEnded(phase=name))
    return done


def _place(
    job: Job,
    name: str,
    tree: Worktree,
    scope: Mapping[str, Json],
    *,
    desk: Desk,
    deadline: float | None = None,
) -> Place:
    return Place(
        worktree=tree,
        scope=scope,
        templates=job.workflow.template,
        phase=name,
        prefix=name,
        deadline=deadline,
        run=job.identity.run,
        key=f"{job.identity.run}/{name}",
        past=job.past.subjects,
        in_doubt=job.workflow.in_doubt,
        desk=desk,
        masker=job.masker,
    )


@do
def _phase(
    job: Job, steps: Sequence[Step], place: Place
) -> Do[Mapping[str, Json], RunFault, MapEnv]:
    """Run the steps of a phase in the run's worktree; what they commit is on the run's branch.

    Returns:
        What they captured, by name, also if an earlier process ran them.
    """
    name = place.phase
    if not steps or job.ended(name):
        return captured_in(name, job.past.subjects)
    yield from note(PhaseStarted(phase=name))
    ran = yield from run_steps(listed(steps, place.masker), place).settled()
    if isinstance(ran, Failure):
        yield from note(PhaseEnded(phase=name, ok=False))
        yield from fail(ran.failure())
    yield from keep(name, place.worktree)
    yield from note(PhaseEnded(phase=name))
    return ran.unwrap()


@do
def keep(name: str, tree: Worktree) -> Do[None, HostError, MapEnv]:
    """Put what a phase committed in the run's worktree onto the run's branch."""
    head = yield from head_of(tree).map_error(fatal)
    request = MergeRequest(
        target=tree.parent,
        source=head,
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


@do
def _done_by_agents(
    workflow: Workflow, ended: Sequence[Result[Finished, AgentError]], tree: Worktree
) -> Do[GitState, HostError, MapEnv]:
    """All that came from agents, merges included, if `reduce` asks for it."""
    bases = [result.unwrap().base for result in ended if isinstance(result, Success)]
    if not bases or not refers_to_changes("map", workflow.reduce):
        return GitState()
    changes = yield from committed_in(evolve(tree, base=bases[0])).map_error(fatal)
    return state_between({}, changes)


def _counted(ended: Sequence[Result[Finished, AgentError]], merged: int) -> dict[str, Json]:
    """What `reduce` can say about the map phase: `${map.successful}` and so on."""
    total = len(ended)
    return {"total": total, "successful": merged, "failed": total - merged}


@do
def _delivered(job: Job, failures: int) -> Do[RunStatus, RunFault, MapEnv]:
    """Bring the user's checkout forward, once, all at once."""
    status = RunStatus.PARTIAL if failures else RunStatus.COMPLETED
    if job.past.delivered is not None:
        return status
    branch = job.identity.branch
    yield from note(PhaseStarted(phase="deliver"), DeliveryStarted(branch=branch))
    delivery = yield from deliver(branch).map_error(fatal)
    told = Delivered(
        commit=delivery.commit,
        delivered=delivery.delivered,
        branch=delivery.branch,
        reason=delivery.reason,
        hint=delivery.hint,
    )
    yield from note(told, PhaseEnded(phase="deliver"))
    return status


@do
def _interrupted(reason: str) -> Do[None, Never, MapEnv]:
    """Tell the journal, if it can still be told, that the run stops before its end."""
    stop = StopRequested(reason=StopReason.SIGNAL, message=reason)
    yield from note(stop, RunMoved(to=RunStatus.INTERRUPTED, reason=reason)).settled()


@do
def _given_up(job: Job, base: str, fault: RunFault) -> Do[RunStatus, AnabranchError, MapEnv]:
    """Say why the run ends here. What the machine did wrong can be mended, and the run resumed."""
    if isinstance(fault, HostError):
        yield from _interrupted(str(fault))
        yield from fail(fault)
    if job.past.delivered is None:
        # It comes before the last word: who has read that the run has failed can take what it left.
        left = yield from left_on(job.identity.branch, base, "the run failed").settled()
        yield from note(*left.value_or(())).settled()
    yield from note(RunMoved(to=RunStatus.FAILED, reason=str(fault))).settled()
    if isinstance(fault, StepFailed):
        return RunStatus.FAILED
    return (yield from fail(fault))


@do
def left_on(branch: str, base: str, why: str) -> Do[tuple[Delivered, ...], HostError, MapEnv]:
    """Keep a run's branch if there is anything on it; what to tell then, and why it is there."""
    tip = yield from start_branch(branch, base).map_error(fatal)
    if tip == base:
        yield from drop_branch(branch).map_error(fatal)
        return ()
    hint = f"git merge --no-overwrite-ignore {branch}"
    return (Delivered(commit=tip, delivered=False, branch=branch, reason=why, hint=hint),)
