"""Assignments → effects: an agent in a worktree of its own, from its creation to its commits.

Whatever happens to an agent happens to it alone: its failure is a value, its worktree is
taken away, and the commits of one that failed are kept on its branch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Never, TypeAlias

from attrs import frozen
from returns.result import Failure, Result

from anabranch.effects import Do, Effect, ReleaseError, bracket, do, fail, par_settle
from anabranch.effects.work import (
    changes_in,
    create_worktree,
    drop_branch,
    remove_worktree,
    start_branch,
)
from anabranch.environment import Changes, MapEnv, Worktree, WorktreeError
from anabranch.lifecycle import (
    Committed,
    Declared,
    Moved,
    SubjectKind,
    WorktreeCreated,
    WorktreeRemoved,
)
from anabranch.planning import AgentTemplate, WorkAssignment
from anabranch.program.faults import fatal, note
from anabranch.program.places import Place, StepFailed
from anabranch.program.steps import run_steps
from anabranch.values import HostError, Json, StepStatus
from anabranch.workflow import Step

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
    """

    run: str
    parent: str
    carry: str
    template: tuple[Step, ...]
    scope: Mapping[str, Json]
    templates: Callable[[str], AgentTemplate]

    def branch(self, assignment: WorkAssignment) -> str:
        """The branch of an agent, which follows from the run and the assignment alone."""
        return f"anabranch/{self.run}/{assignment.agent_name}"


@frozen
class Finished:
    """An agent that did its work; what is left to do is the merge."""

    assignment: WorkAssignment
    branch: str
    worktree: Worktree
    changes: Changes


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
    """Run all agents, at most `limit` at a time; how each ended, in the order of the items."""
    declared = note(*map(_declared, assignments))
    agents = [_run_agent(assignment, herd) for assignment in assignments]
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


@do
def _run_agent(assignment: WorkAssignment, herd: Herd) -> Do[Finished, AgentError, MapEnv]:
    name = assignment.agent_name
    yield from note(
        Moved(subject=name, to=StepStatus.QUEUED),
        Moved(subject=name, to=StepStatus.RUNNING, attempt=1, worker=assignment.worktree_name),
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
    return Finished(assignment, branch, tree, changes)


def _place(assignment: WorkAssignment, herd: Herd, tree: Worktree) -> Place:
    agent: dict[str, Json] = {"name": assignment.agent_name, "id": assignment.id}
    return Place(
        worktree=tree,
        scope={**herd.scope, "item": assignment.item, "agent": agent},
        templates=herd.templates,
        phase="map",
        prefix=f"{assignment.agent_name}/step",
        parent=assignment.agent_name,
    )


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
    yield from note(Moved(subject=assignment.agent_name, to=status, message=str(error)))
    yield from fail(error)


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
