"""A step's command → an effect: the process or the agent it stands for, and what is told of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Never, TypeAlias

from attrs import evolve, field, frozen
from returns.result import Failure, Result, Success

from anabranch.effects import Do, Effect, do, fail, from_result, succeed
from anabranch.effects.agents import AgentError, AgentOutput, ask_agent
from anabranch.effects.work import ending, execute
from anabranch.environment import (
    CommandError,
    CommandFault,
    CommandOutput,
    HasCommands,
    Invocation,
    MapEnv,
)
from anabranch.expressions import compile_shell, parse_template
from anabranch.lifecycle import CommandEnded, Masker, Moved, Spent
from anabranch.planning import AgentReport, said_in
from anabranch.program.capturing import captured, shown_of
from anabranch.program.doubts import Verdict
from anabranch.program.faults import note
from anabranch.program.places import Place, StepError, StepFailed
from anabranch.program.watching import look_after, look_before
from anabranch.values import ConfigError, HostError, Masked, StepStatus, format_duration, last_of
from anabranch.workflow import Step

TAIL: Final = 4000
"""How much of what a command printed the journal holds, in characters."""

UNMET: Final = "unmet"
"""The fault of a command that ended well, and did not do what its step had promised."""

_Outcome: TypeAlias = Result[CommandOutput, CommandError]


@frozen
class _Ended:
    """How the work of a step ended, and what an agent said about it."""

    outcome: _Outcome
    report: AgentReport = field(factory=AgentReport)


@do
def carry_out(
    step: Step,
    subject: str,
    place: Place,
    limit: timedelta | None,
    check: Effect[None, StepError, MapEnv],
) -> Do[None, StepError, MapEnv]:
    """Do the work of a step, within a limit, and tell the journal how it ended and what it did.

    Its end is told last: a step of which the end is known left all it leaves, and kept what it
    promised. If it succeeded, it is completed in the same breath.

    Args:
        step: what to do.
        subject: what the journal calls it.
        place: where.
        limit: how long its command may take; `None` is no limit.
        check: what has to hold once it has succeeded.
    """
    before = yield from look_before(step, place)
    work = yield from from_result(_work(step, subject, place, limit))
    ended = yield from work
    told = _told(step, subject, ended.outcome, place.masker)
    spent = _spent(subject, ended.report)
    if isinstance(ended.outcome, Failure):
        yield from note(told, *spent)
        yield from fail(_failed(_called(step, place), told, ended.outcome.failure()))
    caught = captured(step, subject, ended.outcome.unwrap(), ended.report, place.masker)
    looking = look_after(step, subject, place, before)
    looked = yield from looking.tap(lambda _: check).settled()
    left = [*spent, *looked.value_or([]), *caught.value_or([])]
    refused = [one.failure() for one in (looked, caught) if isinstance(one, Failure)]
    # If the machine could not look, nobody knows yet whether the promise was kept.
    known = not any(isinstance(error, HostError) for error in refused)
    ending = [evolve(told, fault=UNMET) if refused else told] if known else []
    yield from note(*left, *ending, *([] if refused else completed(subject)))
    yield from from_result(looked)
    place.slate.leave({one.name: one.value for one in (yield from from_result(caught))})


def completed(subject: str) -> list[Moved]:
    """The transitions of a step that is running, and has done its work."""
    ways = (StepStatus.VALIDATING, StepStatus.COMPLETED)
    return [Moved(subject=subject, to=to) for to in ways]


def probe(step: Step, subject: str, place: Place) -> Effect[Verdict, Never, HasCommands]:
    """Ask the command of a step that tells whether it was done: 0 is yes, 1 is no."""
    try:
        script = compile_shell(step.probe or "", place.names)
    except ConfigError:
        return succeed(Verdict.FAILED)
    invocation = Invocation(
        argv=("sh", "-c", script.script),
        cwd=place.worktree.path,
        env={**place.told(subject), **script.env},
        timeout=step.timeout,
        label=f"{subject}/probe",
        files=script.files,
        files_variable=script.directory,
    )
    return execute(invocation).settled().map(_answer)


def _answer(outcome: _Outcome) -> Verdict:
    if isinstance(outcome, Success):
        return Verdict.DONE
    output = outcome.failure().output
    no = output is not None and output.exit_code == 1
    return Verdict.AGAIN if no else Verdict.FAILED


# --- what is run -------------------------------------------------------------------------------


def _work(
    step: Step, subject: str, place: Place, limit: timedelta | None
) -> Result[Effect[_Ended, Never, HasCommands], StepFailed]:
    try:
        given = {n: parse_template(text).render(place.names) for n, text in step.env.items()}
        env = {**place.told(subject), **given}
        bare = Invocation(argv=(), cwd=place.worktree.path, env=env, timeout=limit, label=subject)
        agent = step.command.agent
        return Success(_shell(step, place, bare) if agent is None else _agent(step, place, bare))
    except ConfigError as error:
        return Failure(StepFailed(subject=subject, message=str(place.masker.error(error))))


def _shell(step: Step, place: Place, bare: Invocation) -> Effect[_Ended, Never, HasCommands]:
    """The command in a shell, which values reach as data."""
    script = compile_shell(step.command.shell, place.names)
    invocation = evolve(
        bare,
        argv=("sh", "-c", script.script),
        env={**bare.env, **script.env},
        files=script.files,
        files_variable=script.directory,
    )
    return execute(invocation).settled().map(_Ended)


def _agent(step: Step, place: Place, bare: Invocation) -> Effect[_Ended, Never, HasCommands]:
    """The agent with its prompt, which no shell reads."""
    asked = ask_agent(
        place.templates(step.command.agent or ""),
        parse_template(step.command.prompt).render(place.names),
        cwd=bare.cwd,
        env=bare.env,
        timeout=bare.timeout,
        label=bare.label,
    )
    return asked.settled().map(_of_agent)


def _of_agent(result: Result[AgentOutput, AgentError]) -> _Ended:
    if isinstance(result, Failure):
        failed = result.failure()
        return _Ended(Failure(failed.error), failed.report)
    done = result.unwrap()
    return _Ended(Success(done.output), done.report)


# --- what is told ------------------------------------------------------------------------------


def _told(step: Step, subject: str, outcome: _Outcome, masker: Masker) -> CommandEnded:
    if isinstance(outcome, Success):
        return _ended(CommandEnded(subject=subject), step, outcome.unwrap(), masker)
    error = outcome.failure()
    ended = CommandEnded(subject=subject, fault=error.fault.value)
    return ended if error.output is None else _ended(ended, step, error.output, masker)


def _ended(ended: CommandEnded, step: Step, output: CommandOutput, masker: Masker) -> CommandEnded:
    usage = output.usage
    return evolve(
        ended,
        exit_code=output.exit_code,
        duration=output.duration,
        user=timedelta() if usage is None else usage.user,
        system=timedelta() if usage is None else usage.system,
        memory_bytes=0 if usage is None else usage.memory,
        tail=_tail(step, output, masker),
        log=output.stdout.log,
    )


def _tail(step: Step, output: CommandOutput, masker: Masker) -> Masked:
    """The end of what was printed, or of what an agent said in it: masked as a whole, then cut."""
    printed = shown_of(output.stdout, masker)
    if step.command.agent is not None:
        words = said_in(printed)
        # What JSON had escaped was perhaps not known for a secret before.
        printed = masker.text(f"{words}\n" if words else "")
    said = printed + shown_of(output.stderr, masker)
    return last_of(Masked(said), TAIL)  # two masked texts, one after the other


def _spent(subject: str, report: AgentReport) -> list[Spent]:
    """What an agent said that it cost, if it said anything."""
    spent = Spent(
        subject=subject,
        cost_usd=report.cost_usd or 0.0,
        input_tokens=report.input_tokens or 0,
        output_tokens=report.output_tokens or 0,
        cached_tokens=report.cached_tokens or 0,
        turns=report.turns or 0,
        model=report.model,
        session=report.session,
    )
    return [] if spent == Spent(subject=subject) else [spent]


def _called(step: Step, place: Place) -> Masked:
    """What a step is called: by its name, or what it runs; an agent's prompt is too long for that."""
    called = step.name or step.command.agent
    return place.shown(step) if called is None else place.masker.text(called)


def _failed(what: Masked, ended: CommandEnded, error: CommandError) -> StepFailed:
    timed_out = error.fault is CommandFault.TIMED_OUT
    return StepFailed(
        subject=ended.subject, message=_reason(what, error), timed_out=timed_out, ended=ended
    )


def _reason(what: Masked, error: CommandError) -> str:
    """Why a command failed, with the text that its author wrote."""
    output, limit = error.output, error.invocation.timeout
    if error.fault is CommandFault.EXIT and output is not None and output.exit_code:
        return f"`{what}` ended with {ending(output)}"
    message = error.message
    if error.fault is CommandFault.TIMED_OUT and limit is not None:
        message = f"`{what}` timed out after {_limit(limit)}"
    return message if error.hint is None else f"{message} ({error.hint})"


def _limit(limit: timedelta) -> str:
    short = limit < timedelta(minutes=1)
    return f"{limit.total_seconds():.3g}s" if short else format_duration(limit)
