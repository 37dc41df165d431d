"""How a step is called in plans, where nothing is secret yet but what its author wrote down."""

from __future__ import annotations

from typing import Final

from anabranch.values import Masked, in_one_line
from anabranch.workflow.model import Step

SHOWN: Final = 120
"""How much of a command's text is shown, in characters."""


def work_in_words(step: Step) -> str:
    """What a step does, as it is written."""
    command = step.command
    return command.text if command.agent is None else f"{command.agent}: {command.text}"


def label_of(step: Step) -> str:
    """The name of a step, or what it does if it has none.

    >>> from anabranch.workflow import step
    >>> label_of(step("make test", name="test")), label_of(step("make  all"))
    ('test', 'make all')
    """
    return step.name or in_one_line(Masked(work_in_words(step)), SHOWN)
