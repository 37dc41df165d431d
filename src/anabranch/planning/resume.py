"""Resume planning: what is left of a run that was interrupted.

The journal of the run says how far each step and each agent had come. What is completed is
never done again, what was begun and not ended is named as in doubt, and every agent has exactly
one thing left to do, which may be nothing. If the workflow or its items are no longer those of
the run, there is no resuming it: the differences are the refusal.

    the agent was        left to do
    pending              start
    begun                start again, in a clean worktree
    worked               merge
    merging              see whether the merge is there; if it is not, merge
    settled              close: the merge has its result in the journal, the agent has no end
    completed            nothing
    failed               nothing: what becomes of it is the dead-letter queue's affair

A step of setup or reduce that failed leaves nothing to do but to end the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from attrs import evolve, field, frozen

from anabranch.planning.checks import refuse
from anabranch.planning.differences import differences
from anabranch.planning.work import WorkAssignment
from anabranch.values import Json, Problem

MAX_DIFFERENCES: Final = 20
"""How many differences a refusal lists."""


class StepProgress(StrEnum):
    """How far a step of setup or reduce had come.

    A step that was skipped, or whose failure is tolerated, is completed.
    """

    PENDING = "pending"
    BEGUN = "begun"
    COMPLETED = "completed"
    FAILED = "failed"


class AgentProgress(StrEnum):
    """How far an agent had come; the module's head says what each leaves to do."""

    PENDING = "pending"
    BEGUN = "begun"
    WORKED = "worked"
    MERGING = "merging"
    SETTLED = "settled"
    COMPLETED = "completed"
    FAILED = "failed"


class AgentAction(StrEnum):
    """What is left to do for an agent."""

    START = "start"
    START_AGAIN = "start_again"
    MERGE = "merge"
    CHECK_MERGE = "check_merge"
    CLOSE = "close"
    NOTHING = "nothing"


_ACTIONS: Final = {
    AgentProgress.PENDING: AgentAction.START,
    AgentProgress.BEGUN: AgentAction.START_AGAIN,
    AgentProgress.WORKED: AgentAction.MERGE,
    AgentProgress.MERGING: AgentAction.CHECK_MERGE,
    AgentProgress.SETTLED: AgentAction.CLOSE,
    AgentProgress.COMPLETED: AgentAction.NOTHING,
    AgentProgress.FAILED: AgentAction.NOTHING,
}


@frozen(kw_only=True)
class RunOutline:
    """What makes two runs the same: the normalised workflow, and its items in order.

    Attributes:
        workflow: as plain data.
        setup_steps: how many steps setup has.
        reduce_steps: how many steps reduce has.
        assignments: the agents; `None` while setup has yet to write the items.
    """

    workflow: Json
    setup_steps: int = 0
    reduce_steps: int = 0
    assignments: tuple[WorkAssignment, ...] | None = None


@frozen(kw_only=True)
class RunProgress:
    """What a journal says of a run. What it does not mention is pending.

    Attributes:
        setup: the steps of setup that are not pending, by number from 0.
        agents: the agents that are not pending, by the id of their assignment.
        reduce: the steps of reduce that are not pending, by number from 0.
        delivering: whether a delivery was begun and has no end.
    """

    setup: Mapping[int, StepProgress] = field(factory=dict[int, StepProgress])
    agents: Mapping[int, AgentProgress] = field(factory=dict[int, AgentProgress])
    reduce: Mapping[int, StepProgress] = field(factory=dict[int, StepProgress])
    delivering: bool = False


@frozen
class AgentResume:
    """An agent, and what is left to do for it."""

    assignment: WorkAssignment
    action: AgentAction


@frozen(kw_only=True)
class ResumePlan:
    """What is left of a run.

    Attributes:
        setup: the numbers of the steps left, in order.
        agents: every agent once, in order.
        reduce: the numbers of the steps left, in order.
        in_doubt: what was begun and has no end in the journal, such as `setup[0]`, `agent-3`,
            `agent-3 merge` or `deliver`: it may have happened, in part or as a whole.
        failed: steps of setup or reduce that failed. If there are any, no step is left and no
            agent is to be started: what is left is to end the run.
    """

    setup: tuple[int, ...] = ()
    agents: tuple[AgentResume, ...] = ()
    reduce: tuple[int, ...] = ()
    in_doubt: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    def to_do(self, *actions: AgentAction) -> tuple[WorkAssignment, ...]:
        """The assignments for which one of these actions is left, in order."""
        return tuple(agent.assignment for agent in self.agents if agent.action in actions)


def remaining_work(before: RunOutline, now: RunOutline, progress: RunProgress) -> ResumePlan:
    """What is left of a run.

    Args:
        before: the workflow and the items that the run began with, as it recorded them.
        now: what they are today.
        progress: how far the run had come, as its journal says.

    Raises:
        ConfigError: the workflow or an item is not what it was (the differences), or the
            journal speaks of steps and agents that the run does not have.

    >>> from anabranch.planning.work import assign_items
    >>> run = RunOutline(workflow={"name": "tidy"}, setup_steps=1, assignments=assign_items("ab"))
    >>> done = {0: StepProgress.COMPLETED}
    >>> left = remaining_work(run, run, RunProgress(setup=done, agents={0: AgentProgress.BEGUN}))
    >>> [agent.action.value for agent in left.agents], left.in_doubt
    (['start_again', 'start'], ('agent-0',))
    """
    assignments = now.assignments if before.assignments is None else before.assignments
    run = evolve(before, assignments=assignments)
    refuse([*_changes(before, now), *_strangers(run, progress)])
    failed = (
        *_at("setup", progress.setup, StepProgress.FAILED),
        *_at("reduce", progress.reduce, StepProgress.FAILED),
    )
    agents = tuple(_agent_left(a, progress, over=bool(failed)) for a in assignments or ())
    return ResumePlan(
        setup=() if failed else _left(before.setup_steps, progress.setup),
        agents=agents,
        reduce=() if failed else _left(before.reduce_steps, progress.reduce),
        in_doubt=tuple(_in_doubt(run, progress)),
        failed=failed,
    )


def _agent_left(agent: WorkAssignment, progress: RunProgress, *, over: bool) -> AgentResume:
    action = _ACTIONS[progress.agents.get(agent.id, AgentProgress.PENDING)]
    starts = action in {AgentAction.START, AgentAction.START_AGAIN}
    return AgentResume(agent, AgentAction.NOTHING if over and starts else action)


def _in_doubt(run: RunOutline, progress: RunProgress) -> Iterator[str]:
    yield from _at("setup", progress.setup, StepProgress.BEGUN)
    stands = [(a.agent_name, progress.agents.get(a.id)) for a in run.assignments or ()]
    yield from (name for name, at in stands if at is AgentProgress.BEGUN)
    yield from (f"{name} merge" for name, at in stands if at is AgentProgress.MERGING)
    yield from _at("reduce", progress.reduce, StepProgress.BEGUN)
    if progress.delivering:
        yield "deliver"


def _left(count: int, progress: Mapping[int, StepProgress]) -> tuple[int, ...]:
    return tuple(n for n in range(count) if progress.get(n) is not StepProgress.COMPLETED)


def _at(phase: str, progress: Mapping[int, StepProgress], stands: StepProgress) -> Iterator[str]:
    for number, step in sorted(progress.items()):
        if step is stands:
            yield f"{phase}[{number}]"


def _changes(before: RunOutline, now: RunOutline) -> Iterator[Problem]:
    """Every difference up to a number; items that are not known on both sides are not compared."""
    items = before.assignments is not None and now.assignments is not None
    changes = differences(_comparable(before, items=items), _comparable(now, items=items))
    lines = [str(change) for change in changes[:MAX_DIFFERENCES]]
    if len(changes) > MAX_DIFFERENCES:
        lines.append(f"and {len(changes) - MAX_DIFFERENCES} more")
    hint = "put it back, accept it with `--force`, or start a new run"
    for line in lines:
        last = line is lines[-1]
        yield Problem(
            code="workflow-changed",
            message="no longer what the run began with",
            value=line,
            hint=hint if last else None,
        )


def _comparable(outline: RunOutline, *, items: bool) -> Json:
    agents = (outline.assignments or ()) if items else ()
    return {
        "workflow": outline.workflow,
        "items": {agent.agent_name: agent.item for agent in agents},
    }


def _strangers(run: RunOutline, progress: RunProgress) -> Iterator[Problem]:
    """What the journal speaks of and the run does not have."""
    agents = {agent.id for agent in run.assignments or ()}
    strangers = [
        *(f"setup[{n}]" for n in sorted(progress.setup) if n not in range(run.setup_steps)),
        *(f"agent-{n}" for n in sorted(progress.agents) if n not in agents),
        *(f"reduce[{n}]" for n in sorted(progress.reduce) if n not in range(run.reduce_steps)),
    ]
    for stranger in strangers:
        yield Problem(
            code="unknown-subject",
            message="the journal is that of another run, this one has no",
            value=stranger,
        )
