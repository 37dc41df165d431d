"""Command-line agents as effects: a prompt in, their work in a directory, a report out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from anabranch.effects.constructors import fail, succeed
from anabranch.effects.core import Effect
from anabranch.effects.work import execute
from anabranch.environment import (
    CommandError,
    CommandFault,
    CommandOutput,
    HasCommands,
    Invocation,
    OutputListener,
)
from anabranch.planning.agents import AgentReport, AgentTemplate, read_report


def run_agent(
    template: AgentTemplate,
    prompt: str,
    *,
    cwd: str,
    env: Mapping[str, str] | None = None,
    timeout: timedelta | None = None,
    label: str = "",
    listener: OutputListener | None = None,
) -> Effect[CommandOutput, CommandError, HasCommands]:
    """Run an agent in a directory. Failing is to exit with a code other than 0, or to say so.

    Args:
        template: how it is called.
        prompt: what it is to do.
        cwd: absolute path of the directory it works in.
        env: added to the environment it inherits.
        timeout: after this its whole process tree is ended; `None` is no limit.
        label: where its output belongs.
        listener: called with its lines as they come.

    Returns:
        What it printed. `report_of` reads it, and the output of a failure just as well.
    """
    call = template.call(prompt)
    invocation = Invocation(
        argv=call.argv,
        cwd=cwd,
        env=env or {},
        stdin=call.stdin,
        timeout=timeout,
        label=label,
    )

    def judged(output: CommandOutput) -> Effect[CommandOutput, CommandError, object]:
        report = report_of(output)
        return fail(_said(invocation, output, report)) if report.failed else succeed(output)

    return execute(invocation, listener).and_then(judged)


def report_of(output: CommandOutput) -> AgentReport:
    """What an agent said about its work.

    It is read from what memory holds of its output: the session is named at the beginning,
    the totals at the end, and what was left out in the middle is not missed.
    """
    return read_report(output.stdout.head + b"\n" * bool(output.stdout.tail) + output.stdout.tail)


def _said(invocation: Invocation, output: CommandOutput, report: AgentReport) -> CommandError:
    return CommandError(
        fault=CommandFault.EXIT,
        invocation=invocation,
        message=f"`{invocation.argv[0]}` said that it failed: {report.result or 'no reason given'}",
        output=output,
    )
