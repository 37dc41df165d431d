"""How a step is called: in the journal, in plans, and wherever else people read of it."""

from __future__ import annotations

from typing import Final

from anabranch.workflow.model import Step

SHOWN: Final = 120
"""How much of a command's text is shown, in characters."""


def shown(step: Step) -> str:
    """What a step does, in one line."""
    command = step.command
    text = command.text if command.agent is None else f"{command.agent}: {command.text}"
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"


def label_of(step: Step) -> str:
    """The name of a step, or what it does if it has none.

    >>> from anabranch.workflow import step
    >>> label_of(step("make test", name="test")), label_of(step("make  all"))
    ('test', 'make all')
    """
    return step.name or shown(step)
