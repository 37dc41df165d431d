"""Assignments → effects: an agent in a worktree of its own, from its creation to its commits.

Whatever happens to an agent happens to it alone: its failure is a value, its worktree is
taken away, and the commits of one that failed are kept on its branch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Never, TypeAlias

from attrs import field, frozen
from returns.result import Failure, Result

from anabranch.effects import Do, Effect, ReleaseError, bracket, do, fail, par_settle
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
    Subject,
    SubjectKind,
    WorktreeCreated,
    WorktreeRemoved,
    failure_signature,
)
from anabranch.planning import AgentTemplate, WorkAssignment
from anabranch.program.commands import shown
from anabranch.program.doubts import Verdict, begun_in, step_of, verdict_on
from anabranch.program.faults import fatal, note
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
from anabranch.workflow import InDoubt, Step

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
    """An agent that failed, and whether it leaves commits behind."""

    error: AgentError
    commits: bool = False


_Ending: TypeAlias = _Stopped | HostError | ReleaseError[_Stopped, HostError]
"""How an agent can end badly: in its work, in taking its worktree away, or in both."""


def run_agents(
    assignments: tuple[WorkAssignment, ...], herd: Herd, limit: int
) -> Effect[list[Result[Finished, AgentError]], HostError, MapEnv]:
    """Run all agents, at most `limit` at a time; how each ended, in the order of the items.

    Those that had come to their end before the run was taken up again are not run again.
    """
    declared = note(*(_declared(a) for a in assignments if a.agent_name not in herd.past))
    agents = [_agent(assignment, herd) for assignment in assignments]
    return declared.and_then(lambda _: par_settle(agents, limit))


def _declared(assignment: WorkAssignment) -> Declared:
    return Declared(
        subject=assignment.agent_name,
        kind=SubjectKind.AGENT,
        label=label_of(assignment),
        phase="map",
        merges=True,
        item=assignment.item,
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
    if not told(known, DeadLettered):
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
    yield from _ended_badly(assignment, herd, stopped)
    raise AssertionError


@do
def _run_agent(assignment: WorkAssignment, herd: Herd) -> Do[Finished, AgentError, MapEnv]:
    name = assignment.agent_name
    known = herd.past.get(name)
    attempt, worker = next_attempt(known), assignment.worktree_name
    yield from note(
        *given_up(inside(herd.past, name)),
        *way_back(known, name),
        Moved(subject=name, to=StepStatus.RUNNING, attempt=attempt, worker=worker),
    )
    worked: Effect[Finished, _Ending, MapEnv] = bracket(
        _created(assignment, herd),
        release=_removed,
        use=lambda tree: _worked(assignment, herd, tree),
    )
    outcome = yield from worked.on_interrupt(_dropped_if_empty(assignment, herd)).settled()
    if isinstance(outcome, Failure):
        yield from _ended_badly(assignment, herd, outcome.failure())
    return outcome.unwrap()


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
    assignment: WorkAssignment, herd: Herd, tree: Worktree
) -> Do[Finished, _Stopped, MapEnv]:
    """Run the steps; a failure says whether there are commits to keep."""
    finished = yield from _finished(assignment, herd, tree).settled()
    if isinstance(finished, Failure):
        looked = yield from changes_in(tree).settled()
        kept = isinstance(looked, Failure) or bool(looked.unwrap().commits)
        yield from fail(_Stopped(finished.failure(), commits=kept))
    return finished.unwrap()


@do
def _finished(
    assignment: WorkAssignment, herd: Herd, tree: Worktree
) -> Do[Finished, AgentError, MapEnv]:
    name, branch = assignment.agent_name, herd.branch(assignment)
    yield from note(WorktreeCreated(subject=name, path=tree.path, base=tree.base, branch=branch))
    yield from run_steps(herd.template, _place(assignment, herd, tree))
    changes = yield from changes_in(tree).map_error(fatal)
    yield from note(*_committed(name, changes), Moved(subject=name, to=StepStatus.VALIDATING))
    return Finished(assignment=assignment, branch=branch, base=tree.base, head=changes.head)


def _place(assignment: WorkAssignment, herd: Herd, tree: Worktree) -> Place:
    name = assignment.agent_name
    agent: dict[str, Json] = {"name": name, "id": assignment.id}
    takes = takes_of(herd.past.get(name))
    return Place(
        worktree=tree,
        scope={**herd.scope, "item": assignment.item, "agent": agent},
        templates=herd.templates,
        phase="map",
        prefix=f"{name}/take[{takes + 1}]/step" if takes else f"{name}/step",
        parent=name,
        run=herd.run,
        key=f"{herd.run}/{name}/step",
        begun=_begun(herd, name),
        in_doubt=herd.in_doubt,
    )


def _begun(herd: Herd, agent: str) -> Mapping[str, Subject]:
    """The steps that earlier takes of an agent may have done, by their key."""
    return {
        f"{herd.run}/{agent}/{step.declared.subject.rpartition('/')[2]}": step
        for step in inside(herd.past, agent)
        if was_announced(step)
    }


@do
def _ended_badly(
    assignment: WorkAssignment, herd: Herd, ending: _Ending
) -> Do[None, AgentError, MapEnv]:
    """Say why, and keep the branch if there is work on it."""
    match ending:
        case ReleaseError(_Stopped(error, commits)) | _Stopped(error, commits):
            pass
        case _:
            error, commits = ending, True
    if not commits:
        yield from drop_branch(herd.branch(assignment)).settled()
    status = error.status if isinstance(error, StepFailed) else StepStatus.FAILED
    name, branch = assignment.agent_name, herd.branch(assignment) if commits else None
    yield from note(Moved(subject=name, to=status, message=str(error)), letter(name, error, branch))
    yield from fail(error)


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
