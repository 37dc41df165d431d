"""Which workflow a run goes on with: the one it recorded, or the one that its file says today."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from anabranch.lifecycle.events import RunCreated
from anabranch.lifecycle.resuming import plan_resume, recorded_workflow
from anabranch.lifecycle.state import RunState
from anabranch.planning import differences
from anabranch.values import ConfigError, Json, Problem
from anabranch.workflow import Workflow, digest, to_data


def workflow_to_resume(
    state: RunState, today: Workflow | None = None, *, force: bool = False
) -> Workflow:
    """Choose the workflow that an interrupted run goes on with.

    Args:
        state: the fold of its journal.
        today: what its file says now; `None` if there is no file any more.
        force: whether the workflow may have changed. What has begun goes on as it began: setup
            and reduce once they have, the choice of the items once they are known.

    Raises:
        UsageError: the run has ended, or its journal does not say what it was made from.
        ConfigError: the workflow is not what it was (the differences), or it holds a secret
            that is masked in the journal and no file says the same without the mask.
    """
    forced = today is not None and force
    resumption = plan_resume(state, None if forced else today)
    created, recorded = state.created, resumption.workflow
    assert created is not None
    if today is not None and digest(today) == created.digest:
        return today
    if today is not None and forced:
        _refuse_incompatible(state, recorded, today, items=resumption.agents_known)
        return today
    return workflow_of(created)


def workflow_of(created: RunCreated) -> Workflow:
    """The workflow that a run was made from, as the journal recorded it.

    Raises:
        UsageError: the journal does not hold it.
        ConfigError: it holds a secret, which is masked in the journal.
    """
    recorded = recorded_workflow(created)
    if digest(recorded) != created.digest:
        raise ConfigError(
            Problem(
                code="masked-workflow",
                message="the workflow holds a secret, which is masked in the journal",
                hint=f"put the file back as it was: `{created.source or 'the workflow'}`",
            )
        )
    return recorded


def _refuse_incompatible(state: RunState, before: Workflow, now: Workflow, *, items: bool) -> None:
    old, new = _begun(state, before, items=items), _begun(state, now, items=items)
    problems = [
        Problem(
            code="incompatible-change",
            message="what has begun cannot change any more",
            value=str(change),
            hint="put it back, or begin a new run",
        )
        for change in differences(old, new)
    ]
    if problems:
        raise ConfigError(*(evolve(p, hint=None) for p in problems[:-1]), problems[-1])


def _begun(state: RunState, workflow: Workflow, *, items: bool) -> dict[str, Json]:
    """The parts of a workflow that a run can no longer do in another way."""
    return dict(_begun_parts(state, workflow, items=items))


def _begun_parts(state: RunState, workflow: Workflow, *, items: bool) -> Iterator[tuple[str, Json]]:
    data = to_data(workflow)
    yield "mode", data["mode"]
    yield from ((name, data.get(name)) for name in ("setup", "reduce") if name in state.phases)
    chosen = data["map"]
    if items and isinstance(chosen, dict):
        free = {"agent_template", "max_parallel"}
        yield "map", {name: value for name, value in chosen.items() if name not in free}
