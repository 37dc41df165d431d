"""Where steps run, and how one fails: what the parts of a run share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from attrs import frozen

from anabranch.environment import Worktree
from anabranch.planning import AgentTemplate
from anabranch.values import HostError, Json, StepStatus


@frozen(kw_only=True)
class Place:
    """Where steps run, and what they can refer to.

    Attributes:
        worktree: the directory they run in.
        scope: the names that templates and conditions know.
        templates: how an agent is called, by its name.
        phase: the phase they belong to.
        prefix: of their subjects: `setup` makes `setup[0]`, `setup[1]`, …
        parent: the subject they run inside of.
        deadline: when all of them together must have ended, on the interpreter's clock.
    """

    worktree: Worktree
    scope: Mapping[str, Json]
    templates: Callable[[str], AgentTemplate]
    phase: str
    prefix: str
    parent: str | None = None
    deadline: float | None = None


@frozen(kw_only=True)
class StepFailed:
    """A step failed, and with it everything that it is part of.

    Attributes:
        subject: which.
        message: why, for people.
        timed_out: whether time was the reason.
    """

    subject: str
    message: str
    timed_out: bool = False

    def __str__(self) -> str:
        """The reason."""
        return self.message

    @property
    def status(self) -> StepStatus:
        """Where it leaves what it is part of."""
        return StepStatus.TIMED_OUT if self.timed_out else StepStatus.FAILED


StepError: TypeAlias = StepFailed | HostError
