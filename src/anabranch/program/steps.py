"""Steps → effects: the same for every phase and every mode.

A step is declared, waits for the steps it depends on, runs its command in the phase's
worktree and ends in exactly one terminal status; every transition is in the journal.
Steps that touch nothing in common run side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, Never, TypeAlias

from attrs import evolve, frozen
from returns.result import Failure, Result, Success

from anabranch.effects import Do, Effect, GraphError, do, fail, from_result, now, par_graph
from anabranch.effects.work import changes_in, ending, execute
from anabranch.environment import (
    CommandError,
    CommandFault,
    CommandOutput,
    HasWorktrees,
    Invocation,
    MapEnv,
    Oid,
    Worktree,
)
from anabranch.expressions import compile_shell, parse_condition, parse_template
from anabranch.lifecycle import (
    CONDITION_FALSE,
    UPSTREAM_FAILED,
    CommandEnded,
    CommandStarted,
    Declared,
    Moved,
)
from anabranch.planning.graph import CommandGraph, analyze_dependencies
from anabranch.program.faults import fatal, note
from anabranch.values import ConfigError, HostError, Json, StepStatus
from anabranch.workflow import Step

SHOWN: Final = 120
"""How much of a command's text the journal holds, in characters."""

TAIL: Final = 4000
"""How much of what a command printed the journal holds, in characters."""


@frozen(kw_only=True)
class Place:
    """Where steps run, and what they can refer to.

    Attributes:
        worktree: the directory they run in.
        scope: the names that templates and conditions know.
        phase: the phase they belong to.
        prefix: of their subjects: `setup` makes `setup[0]`, `setup[1]`, …
        parent: the subject they run inside of.
        deadline: when all of them together must have ended, on the interpreter's clock.
    """

    worktree: Worktree
    scope: Mapping[str, Json]
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


def run_steps(steps: Sequence[Step], place: Place) -> Effect[None, StepError, MapEnv]:
    """Run steps, each as soon as those that it depends on are done.

    A failure skips the steps that depend on it; the first failure in their order is the
    failure of the whole.
    """
    graph = analyze_dependencies([step.command for step in steps])
    subjects = [f"{place.prefix}[{index}]" for index in range(len(steps))]
    effects = {index: _run_step(step, subjects[index], place) for index, step in enumerate(steps)}
    ran = par_graph(effects, dict(enumerate(graph.dependencies))).as_(None)
    declared = note(*_declared(steps, subjects, graph, place))

    def failed(error: GraphError[int, None, StepError]) -> Effect[None, StepError, MapEnv]:
        first = next(iter(error.errors.values()))
        return note(*_skipped(error, subjects)).and_then(lambda _: fail(first))

    return declared.and_then(lambda _: ran.or_else(failed))


def _declared(
    steps: Sequence[Step], subjects: Sequence[str], graph: CommandGraph, place: Place
) -> list[Declared]:
    return [
        Declared(
            subject=subjects[index],
            label=step.name or _shown(step),
            phase=place.phase,
            parent=place.parent,
            needs=tuple(subjects[before] for before in graph.dependencies[index]),
        )
        for index, step in enumerate(steps)
    ]


def _skipped(error: GraphError[int, None, StepError], subjects: Sequence[str]) -> list[Moved]:
    return [
        Moved(
            subject=subjects[index],
            to=StepStatus.SKIPPED,
            reason=UPSTREAM_FAILED,
            upstream=subjects[upstream],
        )
        for index, upstream in error.skipped.items()
    ]


def _run_step(step: Step, subject: str, place: Place) -> Effect[None, StepError, MapEnv]:
    """Run one step to its end, and say so in the journal."""
    if step.when is not None and not parse_condition(step.when).holds(place.scope):
        return note(Moved(subject=subject, to=StepStatus.SKIPPED, reason=CONDITION_FALSE))
    return _attempted(step, subject, place).or_else(_note_failure)


def _note_failure(error: StepError) -> Effect[Never, StepError, MapEnv]:
    if isinstance(error, HostError):
        return fail(error)
    moved = Moved(subject=error.subject, to=error.status, message=error.message)
    return note(moved).and_then(lambda _: fail(error))


@do
def _attempted(step: Step, subject: str, place: Place) -> Do[None, StepError, MapEnv]:
    yield from note(
        Moved(subject=subject, to=StepStatus.QUEUED),
        Moved(subject=subject, to=StepStatus.RUNNING, attempt=1, worker=place.worktree.name),
        CommandStarted(subject=subject, command=_shown(step)),
    )
    before = (yield from _head(place.worktree)) if step.commit_required else None
    limit = yield from _time_left(step, subject, place)
    invocation = yield from from_result(_invocation(step, subject, place, limit))
    outcome = yield from execute(invocation).settled()
    yield from note(_ended(subject, outcome))
    if isinstance(outcome, Failure):
        error = outcome.failure()
        timed_out = error.fault is CommandFault.TIMED_OUT
        yield from fail(
            StepFailed(subject=subject, message=_reason(step, error), timed_out=timed_out)
        )
    yield from note(Moved(subject=subject, to=StepStatus.VALIDATING))
    if step.commit_required and before == (yield from _head(place.worktree)):
        message = "the step was required to make a commit and made none"
        yield from fail(StepFailed(subject=subject, message=message))
    yield from note(Moved(subject=subject, to=StepStatus.COMPLETED))


@do
def _time_left(step: Step, subject: str, place: Place) -> Do[timedelta | None, StepFailed, object]:
    """The step's own limit, or what is left of the phase's, whichever is less."""
    if place.deadline is None:
        return step.timeout
    left = timedelta(seconds=place.deadline - (yield from now()))
    if left <= timedelta():
        message = f"no time is left for it in `{place.phase}`"
        yield from fail(StepFailed(subject=subject, message=message, timed_out=True))
    return left if step.timeout is None else min(left, step.timeout)


def _invocation(
    step: Step, subject: str, place: Place, limit: timedelta | None
) -> Result[Invocation, StepFailed]:
    """The process that a step stands for; values reach the shell as data."""
    try:
        script = compile_shell(step.command.shell, place.scope)
        env = {name: parse_template(text).render(place.scope) for name, text in step.env.items()}
    except ConfigError as error:
        return Failure(StepFailed(subject=subject, message=str(error)))
    return Success(
        Invocation(
            argv=("sh", "-c", script.script),
            cwd=place.worktree.path,
            env={**env, **script.env},
            timeout=limit,
            label=subject,
            files=script.files,
            files_variable=script.directory,
        )
    )


def _ended(subject: str, outcome: Result[CommandOutput, CommandError]) -> CommandEnded:
    if isinstance(outcome, Success):
        return _told(CommandEnded(subject=subject), outcome.unwrap())
    error = outcome.failure()
    ended = CommandEnded(subject=subject, fault=error.fault.value)
    return ended if error.output is None else _told(ended, error.output)


def _told(ended: CommandEnded, output: CommandOutput) -> CommandEnded:
    return evolve(
        ended,
        exit_code=output.exit_code,
        duration=output.duration,
        tail=(output.stdout.text + output.stderr.text)[-TAIL:],
        log=output.stdout.log,
    )


def _head(worktree: Worktree) -> Effect[Oid, HostError, HasWorktrees]:
    return changes_in(worktree).map_error(fatal).map(lambda changes: changes.head)


def _reason(step: Step, error: CommandError) -> str:
    """Why a command failed, with the text that its author wrote."""
    if error.fault is not CommandFault.EXIT or error.output is None:
        return error.message
    return f"`{_shown(step)}` ended with {ending(error.output)}"


def _shown(step: Step) -> str:
    text = " ".join(step.command.shell.split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
