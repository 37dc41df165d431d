"""Steps of which nobody knows whether they were done, and what becomes of them.

A step is in doubt if it was announced, and its process died before it could say how it ended.
A step that was done is as good as in doubt if its agent begins again without it: what it left
in the worktree is lost, and what it did outside would be done twice. What somebody said of a step
counts until it is started again: another doubt is another question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final

from anabranch.lifecycle import RunState, Subject, SubjectKind
from anabranch.program.past import (
    Standing,
    by_parent,
    current_steps,
    current_work,
    standing_of,
    was_announced,
)
from anabranch.workflow import InDoubt, Step, Workflow

_NUMBER: Final = re.compile(r"\[(\d+)\]\Z")


class Verdict(StrEnum):
    """What becomes of a step in doubt: it is done, it is run again, or it has failed."""

    DONE = "done"
    AGAIN = "again"
    FAILED = "failed"


def verdict_on(step: Step, default: InDoubt, doubtful: Subject) -> Verdict | None:
    """What becomes of a step in doubt; `None` if its probe has to tell.

    Args:
        step: which.
        default: what the workflow says of steps that say nothing.
        doubtful: what the journal says of it.
    """
    said = current_work(doubtful).verdict
    if said is not None:
        return Verdict(said)
    if step.probe is not None:
        return None
    again = (step.in_doubt or default) is InDoubt.RERUN
    return Verdict.AGAIN if again else Verdict.FAILED


def begun_in(steps: Iterable[Subject], agent: Subject) -> list[Subject]:
    """Of the steps inside of an agent, those that may have done something since its last start."""
    current = current_steps(steps, agent)
    return [s for s in current if was_announced(s) or standing_of(s) is Standing.WORKED]


def step_of(steps: Sequence[Step], subject: Subject) -> Step | None:
    """The step that a subject stands for, by the number at its end."""
    found = _NUMBER.search(subject.declared.subject)
    number = len(steps) if found is None else int(found[1])
    return steps[number] if number < len(steps) else None


def steps_in_doubt(workflow: Workflow, past: RunState) -> tuple[str, ...]:
    """The steps of which nobody knows whether they were done, whatever their policy is.

    Args:
        workflow: what runs.
        past: the fold of the journal of a run that is to be resumed.
    """
    return tuple(subject.declared.subject for _, subject in _doubtful(workflow, past))


def open_questions(workflow: Workflow, past: RunState) -> tuple[str, ...]:
    """The steps in doubt of which somebody has to say what becomes of them.

    Args:
        workflow: what runs.
        past: the fold of the journal of a run that is to be resumed.
    """
    return tuple(
        subject.declared.subject
        for steps, subject in _doubtful(workflow, past)
        if (step := step_of(steps, subject)) is not None
        and step.probe is None
        and (step.in_doubt or workflow.in_doubt) is InDoubt.ASK
        and current_work(subject).verdict is None
    )


def _doubtful(workflow: Workflow, past: RunState) -> Iterator[tuple[Sequence[Step], Subject]]:
    steps = by_parent(past.subjects)
    for subject in past.subjects.values():
        standing, declared = standing_of(subject), subject.declared
        if standing is not Standing.DOUBTFUL:
            continue
        if declared.kind is SubjectKind.AGENT:
            inside, template = steps.get(declared.subject, ()), workflow.map.agent_template
            if not _is_through(current_steps(inside, subject), template):
                yield from ((template, step) for step in begun_in(inside, subject))
        elif declared.parent is None and was_announced(subject):
            yield workflow.setup if declared.phase == "setup" else workflow.reduce, subject


def _is_through(steps: Sequence[Subject], template: Sequence[Step]) -> bool:
    """Whether an agent did all of its work, or failed: then nothing of it is done again."""
    ends = {standing_of(step) for step in steps}
    finished = len(steps) == len(template) and ends <= {Standing.DONE, Standing.WORKED}
    return finished or Standing.FAILED in ends
