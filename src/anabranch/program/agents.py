"""Assignments → effects: an agent in a worktree of its own, from its creation to its commits.

Whatever happens to an agent happens to it alone: its failure is a value, its worktree is
taken away, and the commits of one that failed are kept on its branch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Never, TypeAlias

from attrs import field, frozen
from returns.result import Failure, Result

from anabranch.effects import (
    Desk,
    Do,
    Effect,
    ReleaseError,
    bracket,
    do,
    fail,
    now,
    par_settle,
    sleep,
)
from anabranch.effects.work import (
    changes_in,
    create_worktree,
    drop_branch,
    remove_worktree,
    reopen_worktree,
    start_branch,
)
from anabranch.environment import Changes, MapEnv, Oid, Worktree, WorktreeError
from anabranch.lifecycle import (
    STEP_TERMINAL,
    Committed,
    DeadLettered,
    Declared,
    Moved,
    StopReason,
    StopRequested,
    Subject,
    SubjectKind,
    WorktreeCreated,
    WorktreeRemoved,
    failure_signature,
)
from anabranch.planning import (
    AgentTemplate,
    AttemptFailure,
    OnItemFailure,
    RetryAfter,
    Stop,
    StopCause,
    WorkAssignment,
)
from anabranch.planning.policies import UNCOUNTED, attempts_of
from anabranch.program.doubts import Verdict, begun_in, step_of, verdict_on
from anabranch.program.faults import fatal, note
from anabranch.program.oversight import Oversight
from anabranch.program.past import (
    Standing,
    closing,
    current_steps,
    given_up,
    inside,
    last_commit,
    last_tree,
    next_attempt,
    standing_of,
    takes_of,
    told,
    was_announced,
    way_back,
)
from anabranch.program.places import Place, StepFailed, failure_of, in_doubt
from anabranch.program.steps import run_steps
from anabranch.values import HostError, Json, StepStatus
from anabranch.workflow import InDoubt, Step, shown

AgentError: TypeAlias = StepFailed | HostError


@frozen(kw_only=True)
class Herd:
    """What all agents of a map phase have in common.

    Attributes:
        run: the run's id, part of the name of every branch.
        parent: the branch that agents leave and are merged into.
        carry: the directory whose untracked files they see.
        template: the steps of each.
        scope: names that all of them know; `item` and `agent` are added.
        templates: how a coding agent is called, by its name.
        past: what an earlier process of the run had done, by subject.
        in_doubt: what becomes of steps of which nobody knows whether they were done.
        linear: whether their commits are made anew in one line.
        resolve: the steps that resolve a conflict; without any, the agent fails.
        desk: where their steps get the resources that they hold.
        oversight: what is known of all of them, and what to do about failures.
    """

    run: str
    parent: str
    carry: str
    template: tuple[Step, ...]
    scope: Mapping[str, Json]
    templates: Callable[[str], AgentTemplate]
    past: Mapping[str, Subject] = field(factory=dict[str, Subject])
    in_doubt: InDoubt = InDoubt.RERUN
    linear: bool = False
    resolve: tuple[Step, ...] = ()
    desk: Desk
    oversight: Oversight

    def branch(self, assignment: WorkAssignment) -> str:
        """The branch of an agent, which follows from the run and the assignment alone."""
        return f"anabranch/{self.run}/{assignment.agent_name}"


@frozen(kw_only=True)
class Finished:
    """An agent that did its work; what is left to do is the merge.

    Attributes:
        assignment: what it did.
        branch: where its commits are.
        base: what it began from.
        head: its last commit, or its base.
    """

    assignment: WorkAssignment
    branch: str
    base: Oid
    head: Oid


@frozen
class _Stopped:
    """An agent that failed, whether it leaves commits behind, and whether it ever started."""

    error: AgentError
    commits: bool = False
    called_off: bool = False


@frozen(kw_only=True)
class _Take:
    """One start of an agent: the number of the attempt, and of all its starts, from 1."""

    number: int
    of: int

    def next(self) -> _Take:
        """The attempt after this."""
        return _Take(number=self.number + 1, of=self.of + 1)


_Ending: TypeAlias = _Stopped | HostError | ReleaseError[_Stopped, HostError]
"""How an agent can end badly: in its work, in taking its worktree away, or in both."""


def run_agents(
    assignments: tuple[WorkAssignment, ...], herd: Herd, limit: int
) -> Effect[list[Result[Finished, AgentError]], HostError, MapEnv]:
    """Run all agents, at most `limit` at a time; how each ended, in the order of the items.

    Those that had come to their end before the run was taken up again are not run again.
    """
    declared = note(*(_declared(a, herd) for a in assignments if a.agent_name not in herd.past))
    agents = [_agent(assignment, herd) for assignment in assignments]
    return declared.and_then(lambda _: par_settle(agents, limit))


def _declared(assignment: WorkAssignment, herd: Herd) -> Declared:
    return Declared(
        subject=assignment.agent_name,
        kind=SubjectKind.AGENT,
        label=label_of(assignment),
        phase="map",
        merges=True,
        item=assignment.item,
        max_attempts=attempts_of(herd.oversight.policy),
    )


def label_of(assignment: WorkAssignment) -> str:
    """What to call an agent for people: its item, if that is short or has a telling field."""
    match assignment.item:
        case str(text) | {"path": str(text)} | {"name": str(text)} | {"id": str(text)}:
            return text
        case {"id": int(number)}:
            return f"item {number}"
        case _:
            return assignment.agent_name


def _agent(assignment: WorkAssignment, herd: Herd) -> Effect[Finished, AgentError, MapEnv]:
    """What is left to do for one item."""
    known = herd.past.get(assignment.agent_name)
    if known is None or standing_of(known) is Standing.UNBEGUN:
        return _run_agent(assignment, herd)
    match standing_of(known):
        case Standing.DOUBTFUL:
            return _taken_up(assignment, herd, known)
        case Standing.FAILED:
            return _known_failure(assignment, herd, known)
        case _:
            return _tidied(known, herd).as_(_known_end(assignment, herd, known))


@do
def _known_failure(
    assignment: WorkAssignment, herd: Herd, known: Subject
) -> Do[Finished, AgentError, MapEnv]:
    """An agent that had failed. Its letter may have been lost with the end of the journal."""
    yield from _tidied(known, herd)
    failed = failure_of(known)
    keep = herd.oversight.policy.on_item_failure is not OnItemFailure.SKIP
    if keep and known.status is not StepStatus.CANCELLED and not told(known, DeadLettered):
        branch = yield from _kept_branch(assignment, herd, known)
        yield from note(letter(assignment.agent_name, failed, branch))
    return (yield from fail(failed))


@do
def _kept_branch(
    assignment: WorkAssignment, herd: Herd, known: Subject
) -> Do[str | None, HostError, MapEnv]:
    """The branch of an agent that failed, if there is anything on it; else it is dropped."""
    branch, tree = herd.branch(assignment), last_tree(known)
    base = herd.parent if tree is None or tree.base is None else tree.base
    head = yield from start_branch(branch, base).map_error(fatal)
    if head != base:
        return branch
    yield from drop_branch(branch).map_error(fatal)
    return None


def _known_end(assignment: WorkAssignment, herd: Herd, known: Subject) -> Finished:
    """An agent that had done its work, as the journal tells it."""
    base, branch = _began(known), herd.branch(assignment)
    return Finished(
        assignment=assignment, branch=branch, base=base, head=last_commit(known) or base
    )


def _began(known: Subject) -> Oid:
    """Where the last worktree of an agent began. It has had one if it has had steps."""
    tree = last_tree(known)
    assert tree is not None
    assert tree.base is not None
    return Oid(tree.base)


@do
def _tidied(known: Subject, herd: Herd) -> Do[None, HostError, MapEnv]:
    """Take away the worktree of an agent that had come to its end, if it is still there."""
    if known.work.worktree is None:
        return
    name = known.declared.subject
    tree = yield from reopen_worktree(name, parent=herd.parent).map_error(fatal)
    if tree is not None:
        yield from _removed(tree)


@do
def _taken_up(
    assignment: WorkAssignment, herd: Herd, known: Subject
) -> Do[Finished, AgentError, MapEnv]:
    """Go on with an agent that was at work: close it if its work is done, else begin again."""
    steps = current_steps(herd.past, known)
    ends = {standing_of(step) for step in steps}
    failed = next((step for step in steps if standing_of(step) is Standing.FAILED), None)
    if failed is not None:
        return (yield from _closed_badly(assignment, herd, steps, failure_of(failed)))
    if len(steps) == len(herd.template) and ends <= {Standing.DONE, Standing.WORKED}:
        return (yield from _closed(assignment, herd, known, steps))
    unrepeatable = _unrepeatable(herd, known)
    if unrepeatable is not None:
        return (yield from _closed_badly(assignment, herd, steps, unrepeatable))
    return (yield from _run_agent(assignment, herd))


@do
def _closed(
    assignment: WorkAssignment, herd: Herd, known: Subject, steps: Sequence[Subject]
) -> Do[Finished, AgentError, MapEnv]:
    """All of its steps are done; only the journal does not say it of the agent yet."""
    name, branch, base = assignment.agent_name, herd.branch(assignment), _began(known)
    tree = yield from reopen_worktree(name, parent=herd.parent, base=base).map_error(fatal)
    if tree is None:
        head = yield from start_branch(branch, base).map_error(fatal)
        changes = Changes(head=head, commits=(head,) if head != base else ())
    else:
        changes = yield from changes_in(tree).map_error(fatal)
    left = (move for step in steps if step.status not in STEP_TERMINAL for move in closing(step))
    done = Moved(subject=name, to=StepStatus.VALIDATING)
    yield from note(*left, *_committed(name, changes), done)
    if tree is not None:
        yield from _removed(tree)
    return Finished(assignment=assignment, branch=branch, base=base, head=changes.head)


def _unrepeatable(herd: Herd, known: Subject) -> StepFailed | None:
    """A step that may have been done and is not to be done twice, if the agent has one."""
    for begun in begun_in(herd.past, known):
        step = step_of(herd.template, begun)
        if step is not None and verdict_on(step, herd.in_doubt, begun) is Verdict.FAILED:
            return in_doubt(begun.declared.subject, shown(step))
    return None


@do
def _closed_badly(
    assignment: WorkAssignment, herd: Herd, steps: Sequence[Subject], failed: StepFailed
) -> Do[Finished, AgentError, MapEnv]:
    """A step of it had failed, or cannot be done again: the agent ends with it."""
    name = assignment.agent_name
    tree = yield from reopen_worktree(name, parent=herd.parent).map_error(fatal)
    if tree is not None:
        yield from _removed(tree)
    kept = yield from _kept_branch(assignment, herd, herd.past[name])
    yield from note(*given_up(steps))
    stopped = _Stopped(failed, commits=kept is not None)
    known = herd.past[name]
    number = UNCOUNTED if failed.ended is None else max(known.attempt, 1)
    take = _Take(number=number, of=takes_of(known))
    return (yield from _judged(assignment, herd, stopped, take, 0.0))


@do
def _run_agent(assignment: WorkAssignment, herd: Herd) -> Do[Finished, AgentError, MapEnv]:
    name = assignment.agent_name
    known = herd.past.get(name)
    take = _Take(number=next_attempt(known), of=takes_of(known) + 1)
    back = [*given_up(inside(herd.past, name)), *way_back(known, name)]
    return (yield from _tried(assignment, herd, take, back, 0.0))


@do
def _tried(
    assignment: WorkAssignment, herd: Herd, take: _Take, back: Sequence[Moved], spent: float
) -> Do[Finished, AgentError, MapEnv]:
    """Make an attempt, and another as long as the policy says so; `spent` is their time so far."""
    began = yield from now()
    attempt = _attempt(assignment, herd, take, back)
    outcome = yield from herd.oversight.guarded(attempt).settled()
    if not isinstance(outcome, Failure):
        herd.oversight.completed()
        return outcome.unwrap()
    stopped, spent = _stopped(outcome.failure()), spent + (yield from now()) - began
    return (yield from _judged(assignment, herd, stopped, take, spent))


@do
def _judged(
    assignment: WorkAssignment, herd: Herd, stopped: _Stopped, take: _Take, spent: float
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
    assignment: WorkAssignment, herd: Herd, take: _Take, back: Sequence[Moved]
) -> Do[Finished, _Ending, MapEnv]:
    name, worker = assignment.agent_name, assignment.worktree_name
    if herd.oversight.stopped is not None:
        message = f"not started: the run was stopped by `{herd.oversight.stopped}`"
        yield from fail(_Stopped(StepFailed(subject=name, message=message), called_off=True))
    yield from note(
        *back, Moved(subject=name, to=StepStatus.RUNNING, attempt=take.number, worker=worker)
    )
    worked: Effect[Finished, _Ending, MapEnv] = bracket(
        _created(assignment, herd),
        release=_removed,
        use=lambda tree: _worked(assignment, herd, tree, take),
    )
    return (yield from worked.on_interrupt(_dropped_if_empty(assignment, herd)))


def _failure(
    assignment: WorkAssignment, error: AgentError, take: _Take, elapsed: float
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


def _created(assignment: WorkAssignment, herd: Herd) -> Effect[Worktree, _Stopped, MapEnv]:
    def failed(error: WorktreeError) -> _Stopped:
        return _Stopped(StepFailed(subject=assignment.agent_name, message=str(error)))

    return create_worktree(
        assignment.worktree_name,
        parent=herd.parent,
        branch=herd.branch(assignment),
        carry=herd.carry,
    ).map_error(failed)


@do
def _removed(tree: Worktree) -> Do[None, HostError, MapEnv]:
    yield from remove_worktree(tree).map_error(fatal)
    yield from note(WorktreeRemoved(subject=tree.name, path=tree.path))


@do
def _worked(
    assignment: WorkAssignment, herd: Herd, tree: Worktree, take: _Take
) -> Do[Finished, _Stopped, MapEnv]:
    """Run the steps; a failure says whether there are commits to keep."""
    finished = yield from _finished(assignment, herd, tree, take).settled()
    if isinstance(finished, Failure):
        looked = yield from changes_in(tree).settled()
        kept = isinstance(looked, Failure) or bool(looked.unwrap().commits)
        yield from fail(_Stopped(finished.failure(), commits=kept))
    return finished.unwrap()


@do
def _finished(
    assignment: WorkAssignment, herd: Herd, tree: Worktree, take: _Take
) -> Do[Finished, AgentError, MapEnv]:
    name, branch = assignment.agent_name, herd.branch(assignment)
    yield from note(WorktreeCreated(subject=name, path=tree.path, base=tree.base, branch=branch))
    yield from run_steps(herd.template, _place(assignment, herd, tree, take))
    changes = yield from changes_in(tree).map_error(fatal)
    yield from note(*_committed(name, changes), Moved(subject=name, to=StepStatus.VALIDATING))
    return Finished(assignment=assignment, branch=branch, base=tree.base, head=changes.head)


def _place(assignment: WorkAssignment, herd: Herd, tree: Worktree, take: _Take) -> Place:
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
    )


def _begun(herd: Herd, agent: str) -> Mapping[str, Subject]:
    """The steps that earlier takes of an agent may have done, by their key."""
    return {
        f"{herd.run}/{agent}/{step.declared.subject.rpartition('/')[2]}": step
        for step in inside(herd.past, agent)
        if was_announced(step)
    }


def _stopped(ending: _Ending) -> _Stopped:
    """How an agent ended badly, whatever else went wrong besides."""
    match ending:
        case _Stopped():
            return ending
        case ReleaseError():
            return ending.use
        case _:
            return _Stopped(ending, commits=True)


@do
def _ended_badly(
    assignment: WorkAssignment,
    herd: Herd,
    stopped: _Stopped,
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
    told = [letter(name, error, branch)] if keep else []
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


def letter(agent: str, error: AgentError, branch: str | None) -> DeadLettered:
    """What is put aside of an agent that failed, and where its work is kept, if there is any."""
    failed = error.subject if isinstance(error, StepFailed) else agent
    at = failed.rpartition("/")[2] if failed != agent else ""
    ended = error.ended if isinstance(error, StepFailed) else None
    signature = failure_signature(at, str(error), ended)
    return DeadLettered(subject=agent, signature=signature, message=str(error), branch=branch)


def _committed(name: str, changes: Changes) -> list[Committed]:
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
