"""How long the steps of a run took, for plans of the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from anabranch.lifecycle.events import SubjectKind
from anabranch.lifecycle.state import RunState
from anabranch.values import StepStatus


def step_durations(state: RunState) -> Mapping[tuple[str, str], Sequence[timedelta]]:
    """List how long the commands of steps took that were completed, of the run so far.

    Waiting for a turn or a resource does not count, nor do attempts that failed before.

    Returns:
        By phase and label, in the order in which the steps were declared: one duration for each
        agent in which a step of `map` was completed. `anabranch.workflow.foresee` takes it.
    """
    found: dict[tuple[str, str], list[timedelta]] = {}
    for subject in state.subjects.values():
        known, last = subject.declared, subject.work.last
        if known.kind is not SubjectKind.STEP or known.phase is None or known.label is None:
            continue
        if subject.status is StepStatus.COMPLETED and last is not None:
            found.setdefault((known.phase, known.label), []).append(last.duration)
    return found
