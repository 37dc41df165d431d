"""Assignments → effects: each agent from where an earlier process of the run left it.

One that nobody began is run. One that had come to its end is not run again, only what its end
leaves behind is seen to. One that was at work is closed if its work is done, and else begins again.
"""

from __future__ import annotations

from collections.abc import Sequence

from returns.result import Result

from anabranch.effects import Do, Effect, do, fail, par_settle
from anabranch.effects.work import committed_in, drop_branch, reopen_worktree, start_branch
from anabranch.environment import Changes, MapEnv, Oid
from anabranch.lifecycle import (
    STEP_TERMINAL,
    DeadLettered,
    Declared,
    Moved,
    Subject,
    SubjectKind,
)
from anabranch.planning import OnItemFailure, WorkAssignment
from anabranch.planning.policies import UNCOUNTED, attempts_of
from anabranch.program.agents import Stopped, Take, committed, judged, removed, run_agent
from anabranch.program.doubts import Verdict, begun_in, step_of, verdict_on
from anabranch.program.faults import fatal, note
from anabranch.program.herds import AgentError, Finished, Herd, letter
from anabranch.program.past import (
    Standing,
    closing,
    current_steps,
    given_up,
    last_commit,
    last_tree,
    standing_of,
    takes_of,
    told,
)
from anabranch.program.places import StepFailed, failure_of, in_doubt, shown
from anabranch.values import HostError, StepStatus


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
        label=herd.label_of(assignment),
        phase="map",
        merges=True,
        item=assignment.item,
        max_attempts=attempts_of(herd.oversight.policy),
    )


def _agent(assignment: WorkAssignment, herd: Herd) -> Effect[Finished, AgentError, MapEnv]:
    """What is left to do for one item."""
    known = herd.past.get(assignment.agent_name)
    if known is None or standing_of(known) is Standing.UNBEGUN:
        return run_agent(assignment, herd)
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
    skipped = herd.oversight.policy.on_item_failure is OnItemFailure.SKIP
    keep = not skipped or known.work.conflict is not None
    if keep and known.status is not StepStatus.CANCELLED and not told(known, DeadLettered):
        branch = yield from _kept_branch(assignment, herd, known)
        yield from note(letter(assignment.agent_name, failed, branch, herd.masker))
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
        yield from removed(tree)


@do
def _taken_up(
    assignment: WorkAssignment, herd: Herd, known: Subject
) -> Do[Finished, AgentError, MapEnv]:
    """Go on with an agent that was at work: close it if its work is done, else begin again."""
    steps = current_steps(herd.inside(assignment.agent_name), known)
    ends = {standing_of(step) for step in steps}
    failed = next((step for step in steps if standing_of(step) is Standing.FAILED), None)
    if failed is not None:
        return (yield from _closed_badly(assignment, herd, steps, failure_of(failed)))
    if len(steps) == len(herd.template) and ends <= {Standing.DONE, Standing.WORKED}:
        return (yield from _closed(assignment, herd, known, steps))
    unrepeatable = _unrepeatable(herd, known)
    if unrepeatable is not None:
        return (yield from _closed_badly(assignment, herd, steps, unrepeatable))
    return (yield from run_agent(assignment, herd))


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
        changes = yield from committed_in(tree).map_error(fatal)
    left = (move for step in steps if step.status not in STEP_TERMINAL for move in closing(step))
    done = Moved(subject=name, to=StepStatus.VALIDATING)
    yield from note(*left, *committed(name, changes), done)
    if tree is not None:
        yield from removed(tree)
    return Finished(assignment=assignment, branch=branch, base=base, head=changes.head)


def _unrepeatable(herd: Herd, known: Subject) -> StepFailed | None:
    """A step that may have been done and is not to be done twice, if the agent has one."""
    for begun in begun_in(herd.inside(known.declared.subject), known):
        step = step_of(herd.template, begun)
        if step is not None and verdict_on(step, herd.in_doubt, begun) is Verdict.FAILED:
            return in_doubt(begun.declared.subject, shown(step, herd.masker))
    return None


@do
def _closed_badly(
    assignment: WorkAssignment, herd: Herd, steps: Sequence[Subject], failed: StepFailed
) -> Do[Finished, AgentError, MapEnv]:
    """A step of it had failed, or cannot be done again: the agent ends with it."""
    name = assignment.agent_name
    tree = yield from reopen_worktree(name, parent=herd.parent).map_error(fatal)
    if tree is not None:
        yield from removed(tree)
    kept = yield from _kept_branch(assignment, herd, herd.past[name])
    yield from note(*given_up(steps))
    stopped = Stopped(failed, commits=kept is not None)
    known = herd.past[name]
    number = UNCOUNTED if failed.ended is None else max(known.attempt, 1)
    take = Take(number=number, of=takes_of(known))
    return (yield from judged(assignment, herd, stopped, take, 0.0))
