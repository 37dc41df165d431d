"""A conflict → steps that resolve it: in a worktree with the conflict in it, and then merged."""

from __future__ import annotations

from typing import TypeAlias

from attrs import evolve, frozen
from returns.result import Failure

from anabranch.effects import Do, Effect, bracket, do, fail
from anabranch.effects.work import (
    conclude_merge,
    create_worktree,
    lay_out_conflict,
    remove_worktree,
    reopen_worktree,
)
from anabranch.environment import MapEnv, Merge, MergeError, MergeRequest, Worktree
from anabranch.lifecycle import STEP_TERMINAL
from anabranch.program.faults import fatal, note
from anabranch.program.herds import Finished, Herd
from anabranch.program.past import Standing, closing, given_up, standing_of
from anabranch.program.places import Place, StepError
from anabranch.program.steps import run_steps
from anabranch.values import HostError, Json

_Unresolved: TypeAlias = MergeError | HostError


@frozen
class _Case:
    """A merge that met a conflict."""

    agent: Finished
    request: MergeRequest
    error: MergeError
    herd: Herd

    @property
    def prefix(self) -> str:
        """What the subjects of all steps begin with that try to resolve it."""
        return _prefix(self.agent)


def tree_for_conflict(agent: str) -> str:
    """What the worktree is called in which a conflict of an agent is resolved."""
    return f"merge-{agent}"


def resolved(
    agent: Finished, request: MergeRequest, error: MergeError, herd: Herd
) -> Effect[Merge, _Unresolved, MapEnv]:
    """Let the steps of `merge.resolve` resolve a conflict; what they left is the merge.

    A resolution that an earlier process of the run had begun is begun anew.
    """
    name = tree_for_conflict(agent.assignment.agent_name)
    created: Effect[Worktree, _Unresolved, MapEnv] = create_worktree(
        name, parent=request.target
    ).map_error(fatal)
    return bracket(
        created,
        release=lambda tree: remove_worktree(tree).settled(),
        use=lambda tree: _resolved(_Case(agent, request, error, herd), tree),
    )


@do
def put_away(agent: Finished, herd: Herd) -> Do[None, HostError, MapEnv]:
    """Put away what a process left that died when it had resolved a conflict, before it said so."""
    if not herd.resolve:
        return
    name = tree_for_conflict(agent.assignment.agent_name)
    tree = yield from reopen_worktree(name, parent=herd.parent).map_error(fatal)
    if tree is not None:
        yield from remove_worktree(tree).map_error(fatal)
    steps = (s for name, s in herd.past.items() if name.startswith(_prefix(agent)))
    left = [step for step in steps if step.status not in STEP_TERMINAL]
    worked = [step for step in left if standing_of(step) is Standing.WORKED]
    closed = (move for step in worked for move in closing(step))
    yield from note(*closed, *given_up(step for step in left if step not in worked))


def _prefix(agent: Finished) -> str:
    """What the subjects of all steps begin with that try to resolve a conflict of an agent."""
    return f"{agent.assignment.agent_name}/resolve["


@do
def _resolved(case: _Case, tree: Worktree) -> Do[Merge, _Unresolved, MapEnv]:
    yield from lay_out_conflict(case.request, tree)
    before = [known for name, known in case.herd.past.items() if name.startswith(case.prefix)]
    yield from note(*given_up(before))
    ran = yield from run_steps(case.herd.resolving, _place(case, tree, len(before))).settled()
    if isinstance(ran, Failure):
        yield from fail(_why(case, ran.failure()))
    return (yield from conclude_merge(case.request, tree, case.error.conflicts))


def _why(case: _Case, error: StepError) -> _Unresolved:
    """A step that failed leaves the conflict as it is; a machine that does not work is no step."""
    if isinstance(error, HostError):
        return error
    return evolve(case.error, message=f"{case.error.message}; resolving it failed: {error.message}")


def _place(case: _Case, tree: Worktree, number: int) -> Place:
    assignment, herd = case.agent.assignment, case.herd
    agent: dict[str, Json] = {"name": assignment.agent_name, "id": assignment.id}
    merge: dict[str, Json] = {
        "conflicts": [conflict.path for conflict in case.error.conflicts],
        "source": case.request.source,
        "target": case.request.target,
    }
    return Place(
        worktree=tree,
        scope={**herd.scope, "item": assignment.item, "agent": agent, "merge": merge},
        templates=herd.templates,
        phase="merge",
        prefix=f"{case.prefix}{number}]/step",
        run=herd.run,
        key=f"{herd.run}/{assignment.agent_name}/resolve",
        desk=herd.desk,
        masker=herd.masker,
    )
