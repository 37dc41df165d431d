"""Where steps run, and how one fails: what the parts of a run share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from attrs import field, frozen

from anabranch.effects import Desk
from anabranch.environment import Worktree
from anabranch.lifecycle import CommandEnded, Masker, Subject
from anabranch.planning import AgentTemplate
from anabranch.program.past import Standing, standing_of, was_announced
from anabranch.program.slates import Slate
from anabranch.values import HostError, Json, Masked, StepStatus, in_one_line
from anabranch.workflow import SHOWN, InDoubt, Step, work_in_words

RUN_VARIABLE: Final = "ANABRANCH_RUN"
"""The variable that tells a command which run it belongs to."""

KEY_VARIABLE: Final = "ANABRANCH_IDEMPOTENCY_KEY"
"""The variable that tells a command a text that is its own, and the same at every attempt."""


@frozen(kw_only=True)
class Place:
    """Where steps run, and what they can refer to.

    Attributes:
        worktree: the directory they run in.
        scope: the names that templates and conditions know, whichever step it is.
        templates: how an agent is called, by its name.
        phase: the phase they belong to.
        prefix: of their subjects: `setup` makes `setup[0]`, `setup[1]`, …
        parent: the subject they run inside of.
        deadline: when all of them together must have ended, on the interpreter's clock.
        run: the run they belong to.
        key: what the world outside knows them by; the same however often they are started.
        past: what an earlier process of the run had done, by subject.
        begun: steps that were begun in an earlier take of the same agent, by their key.
        in_doubt: what becomes of steps of which nobody knows whether they were done.
        slate: what the steps leave for each other.
        desk: where steps get the resources that they hold.
        turn: whose steps get them first; lower comes first.
        masker: what is secret.
    """

    worktree: Worktree
    scope: Mapping[str, Json]
    templates: Callable[[str], AgentTemplate]
    phase: str
    prefix: str
    parent: str | None = None
    deadline: float | None = None
    run: str
    key: str
    past: Mapping[str, Subject] = field(factory=dict[str, Subject])
    begun: Mapping[str, Subject] = field(factory=dict[str, Subject])
    in_doubt: InDoubt = InDoubt.RERUN
    slate: Slate = field(factory=Slate, eq=False)
    desk: Desk
    turn: int = 0
    masker: Masker = field(factory=Masker)

    def doubtful(self, subject: str) -> Subject | None:
        """What is known of a step of which nobody knows whether it was done."""
        known = self.past.get(subject)
        if known is not None and standing_of(known) is Standing.DOUBTFUL and was_announced(known):
            return known
        return self.begun.get(self.key_of(subject))

    @property
    def names(self) -> dict[str, Json]:
        """The names that templates and conditions know now."""
        return {**self.scope, **self.slate.names}

    def shown(self, step: Step) -> Masked:
        """What a step does, in one line."""
        return shown(step, self.masker)

    def key_of(self, subject: str) -> str:
        """What the world outside knows one of the steps by."""
        return f"{self.key}{subject.removeprefix(self.prefix)}"

    def told(self, subject: str) -> dict[str, str]:
        """What a command of a step is told of itself, as environment variables."""
        return {RUN_VARIABLE: self.run, KEY_VARIABLE: self.key_of(subject)}


@frozen(kw_only=True)
class StepFailed:
    """A step failed, and with it everything that it is part of.

    Attributes:
        subject: which.
        message: why, for people.
        timed_out: whether time was the reason.
        ended: how the command that failed ended, if one did.
    """

    subject: str
    message: str
    timed_out: bool = False
    ended: CommandEnded | None = None

    def __str__(self) -> str:
        """The reason."""
        return self.message

    @property
    def status(self) -> StepStatus:
        """Where it leaves what it is part of."""
        return StepStatus.TIMED_OUT if self.timed_out else StepStatus.FAILED


def shown(step: Step, masker: Masker) -> Masked:
    """What a step does, in one line."""
    return in_one_line(masker.text(work_in_words(step)), SHOWN)


def in_doubt(subject: str, command: Masked) -> StepFailed:
    """The failure of a step that may have been done, and must not be done twice."""
    message = f"nobody knows whether `{command}` was done, and it is not to be done twice"
    return StepFailed(subject=subject, message=message)


def failure_of(known: Subject) -> StepFailed:
    """How a step or an agent of an earlier process ended badly."""
    message = None if known.moved is None else known.moved.message
    return StepFailed(
        subject=known.declared.subject,
        message=message or known.status.value,
        timed_out=known.status is StepStatus.TIMED_OUT,
        ended=known.work.last,
    )


StepError: TypeAlias = StepFailed | HostError
