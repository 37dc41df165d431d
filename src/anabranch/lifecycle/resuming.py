"""Resume planning from a journal: what is left of a run, or why it cannot be taken up again.

The fold of the journal is read into the words of `anabranch.planning.resume`, where the decision
is made. The workflow is the one that the journal recorded when the run was created, so that a
run can be taken up without its file; a file that is given has to say the same. What is secret
in a recorded workflow is masked, so that a workflow is the same if its digest is, and the
differences are those to the text that was recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from attrs import frozen

from anabranch.lifecycle.events import RunCreated, SubjectKind
from anabranch.lifecycle.state import RunState
from anabranch.lifecycle.subjects import Subject
from anabranch.lifecycle.transitions import RUN_TERMINAL
from anabranch.planning import (
    AgentProgress,
    ResumePlan,
    RunOutline,
    RunProgress,
    StepProgress,
    WorkAssignment,
    remaining_work,
)
from anabranch.values import ConfigError, StepStatus, UsageError
from anabranch.workflow import Workflow, digest, load_workflow, to_data

_STEP: Final = re.compile(r"(setup|reduce)\[(\d+)\]\Z")
_AGENT: Final = re.compile(r"agent-(\d+)\Z")


@frozen(kw_only=True)
class Resumption:
    """A run that can be taken up again.

    Attributes:
        workflow: as the run recorded it.
        left: what is left to do. Its agents are empty while the journal does not name them all:
            then the input of the map phase is read again, as in a new run.
        agents_known: whether the journal names all agents. They were announced together, so it
            does as soon as one of them was queued.
    """

    workflow: Workflow
    left: ResumePlan
    agents_known: bool


def plan_resume(state: RunState, workflow: Workflow | None = None) -> Resumption:
    """Decide what is left of a run.

    Args:
        state: the fold of its journal.
        workflow: what the file says today; `None` if nobody asks.

    Raises:
        UsageError: the run has ended, or its journal does not say what it was made from.
        ConfigError: the workflow is not what it was: the differences, as many as can be read.

    >>> from anabranch.lifecycle import EMPTY
    >>> plan_resume(EMPTY)
    Traceback (most recent call last):
    ...
    anabranch.values.errors.UsageError: the journal does not begin with the creation of a run
    """
    created = _created(state)
    recorded = recorded_workflow(created)
    assignments = known_assignments(state)
    known = assignments is not None
    before = _outline(recorded, assignments)
    now = before
    if workflow is not None and digest(workflow) != created.digest:
        now = _outline(workflow, before.assignments)
    left = remaining_work(before, now, _progress(state, agents_known=known))
    return Resumption(workflow=recorded, left=left, agents_known=known)


def known_assignments(state: RunState) -> tuple[WorkAssignment, ...] | None:
    """All the work of a run, in order; `None` while its journal does not name it.

    It is announced as a whole before any of it begins.
    """
    agents = list(_agents(state))
    begun = any(agent.status is not StepStatus.PENDING for _, agent in agents)
    if not begun and "merge" not in state.phases:
        return None
    found = (WorkAssignment(id=at, item=agent.declared.item) for at, agent in agents)
    return tuple(sorted(found, key=lambda assignment: assignment.id))


def recorded_workflow(created: RunCreated) -> Workflow:
    """Read the workflow that a run was made from, what is secret in it masked.

    Raises:
        UsageError: the journal does not hold it, or not as this version would have written it.
    """
    if created.definition is None:
        raise UsageError.of("no-definition", "the journal does not say what the run was made from")
    try:
        return load_workflow(json.dumps(created.definition))
    except ConfigError as error:
        raise UsageError(*error.problems) from None


def _created(state: RunState) -> RunCreated:
    if state.created is None:
        raise UsageError.of("no-run", "the journal does not begin with the creation of a run")
    if state.status in RUN_TERMINAL:
        raise UsageError.of(
            "run-ended", "the run has ended, nothing is left to resume", value=state.status.value
        )
    return state.created


def _outline(workflow: Workflow, assignments: tuple[WorkAssignment, ...] | None) -> RunOutline:
    return RunOutline(
        workflow=to_data(workflow),
        setup_steps=len(workflow.setup),
        reduce_steps=len(workflow.reduce),
        assignments=assignments,
    )


def _agents(state: RunState) -> Iterator[tuple[int, Subject]]:
    for name, subject in state.subjects.items():
        found = _AGENT.match(name)
        if found and subject.declared.kind is SubjectKind.AGENT:
            yield int(found[1]), subject


def _progress(state: RunState, *, agents_known: bool) -> RunProgress:
    steps: dict[str, dict[int, StepProgress]] = {"setup": {}, "reduce": {}}
    for name, subject in state.subjects.items():
        found = _STEP.match(name)
        if found:
            steps[found[1]][int(found[2])] = _step_progress(subject)
    agents = {at: _agent_progress(agent) for at, agent in _agents(state)} if agents_known else {}
    delivering = state.delivering is not None
    return RunProgress(
        setup=steps["setup"], agents=agents, reduce=steps["reduce"], delivering=delivering
    )


def _step_progress(step: Subject) -> StepProgress:
    match step.status:
        case StepStatus.COMPLETED | StepStatus.SKIPPED:
            return StepProgress.COMPLETED
        case StepStatus.FAILED | StepStatus.TIMED_OUT | StepStatus.CANCELLED:
            return StepProgress.COMPLETED if step.declared.optional else StepProgress.FAILED
        case _:
            return StepProgress.BEGUN if step.attempt else StepProgress.PENDING


def _agent_progress(agent: Subject) -> AgentProgress:
    match agent.status:
        case StepStatus.COMPLETED:
            return AgentProgress.COMPLETED
        case StepStatus.VALIDATING:
            return _merge_progress(agent)
        case StepStatus.PENDING | StepStatus.QUEUED | StepStatus.RUNNING | StepStatus.RETRYING:
            return AgentProgress.BEGUN if agent.attempt else AgentProgress.PENDING
        case _:
            return AgentProgress.FAILED


def _merge_progress(agent: Subject) -> AgentProgress:
    """Tell how far the merge of an agent that did its work had come."""
    if agent.work.merged is not None or agent.work.conflict is not None:
        return AgentProgress.SETTLED
    return AgentProgress.WORKED if agent.work.merging is None else AgentProgress.MERGING
