"""A list of steps, with all that is worked out of it once, however many agents run it."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from anabranch.lifecycle import Masker
from anabranch.program.order import StepOrder, plan_order
from anabranch.program.places import shown
from anabranch.program.slates import STATE
from anabranch.values import Masked
from anabranch.workflow import Step, refers_to_changes


@frozen(kw_only=True)
class StepList:
    """Steps that run together in one place; made by `listed`.

    Attributes:
        steps: what to do.
        order: who waits for whom, who goes first, and what each may write.
        shown: what each does, in one line.
        labels: what each is called: its name, or what it does if it has none.
        watched: whether one of them asks what those before it left uncommitted.
    """

    steps: tuple[Step, ...]
    order: StepOrder
    shown: tuple[Masked, ...]
    labels: tuple[Masked, ...]
    watched: bool


def listed(steps: Sequence[Step], masker: Masker) -> StepList:
    """Work out what all runs of a list have in common.

    Args:
        steps: what to do.
        masker: what is secret.
    """
    lines = tuple(shown(step, masker) for step in steps)
    names = zip(steps, lines, strict=True)
    return StepList(
        steps=tuple(steps),
        order=plan_order(tuple(steps)),
        shown=lines,
        labels=tuple(line if s.name is None else masker.text(s.name) for s, line in names),
        watched=refers_to_changes(STATE, steps),
    )
