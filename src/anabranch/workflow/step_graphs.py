"""Steps of a list as the facts that `anabranch.planning.validation` looks at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from anabranch.planning import Limits, StepGraph, StepNode

if TYPE_CHECKING:
    from anabranch.workflow.model import Step

_NO_LIMITS: Final = Limits()


def step_graph(
    steps: Sequence[Step], *, limits: Limits = _NO_LIMITS, longest: timedelta | None = None
) -> StepGraph:
    """State what is so of a list of steps.

    Args:
        steps: in the order of the list; one without a name goes by its number, from 0.
        limits: what the claims of the steps are on.
        longest: the limit on all of them together; `None` is none.

    A step is wanted for itself unless it is optional and declares that it writes nothing:
    then neither its failure nor its work matters, but for steps that wait for it.
    """
    names = [str(at) if step.name is None else step.name for at, step in enumerate(steps)]
    pairs = list(zip(names, steps, strict=True))
    return StepGraph(
        steps=tuple(_node(name, at, step) for at, (name, step) in enumerate(pairs)),
        results=frozenset(name for name, step in pairs if not _vain(step)),
        max_timeout=longest,
        resources=limits,
    )


def _vain(step: Step) -> bool:
    writes = step.command.writes
    return step.optional and writes is not None and not writes and step.capture is None


def _node(name: str, at: int, step: Step) -> StepNode:
    return StepNode(
        name=name,
        depends_on=step.command.depends_on,
        bounded_retry=step.retry is None or not step.retry.unbounded,
        timeout=step.timeout,
        claims=step.resources,
        path=f"[{at}]",
    )
