"""Command-line agents as effects: a prompt in, their work in a directory, a report out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import final

from attrs import frozen
from returns.result import Failure, Result, Success

from anabranch.effects.constructors import from_result, succeed
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
from anabranch.planning.agents import AgentReport, AgentTemplate


@frozen(kw_only=True)
class AgentOutput:
    """An agent that did its work: what it printed, and what it said about it."""

    output: CommandOutput
    report: AgentReport


@frozen(kw_only=True)
class AgentError:
    """An agent that failed: how, and what it said about its work by then."""

    error: CommandError
    report: AgentReport

    def __str__(self) -> str:
        """The error, and the end of what the agent printed."""
        return str(self.error)


def ask_agent(
    template: AgentTemplate,
    prompt: str,
    *,
    cwd: str,
    env: Mapping[str, str] | None = None,
    timeout: timedelta | None = None,
    label: str = "",
    listener: OutputListener | None = None,
) -> Effect[AgentOutput, AgentError, HasCommands]:
    """Give a prompt to an agent that works in a directory.

    It fails by exiting with a code other than 0, or by saying that it failed. What it says is
    read line by line while it works; a line that cannot be read is a line that says nothing.

    Args:
        template: how it is called.
        prompt: what it is to do.
        cwd: absolute path of the directory it works in.
        env: added to the environment it inherits.
        timeout: after this its whole process tree is ended; `None` is no limit.
        label: where its output belongs.
        listener: called with its lines as they come.

    >>> from anabranch import run
    >>> from anabranch.planning import AGENTS
    >>> from anabranch.testing import mock_env, said
    >>> env = mock_env(commands={"claude *": said("mended", cost_usd=0.25)})
    >>> done = run(ask_agent(AGENTS["claude"], "mend the tests", cwd="/project"), env).unwrap()
    >>> done.report.result, done.report.cost_usd
    ('mended', 0.25)
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

    def attended(reader: _Reader) -> Effect[AgentOutput, AgentError, HasCommands]:
        ended = execute(invocation, reader.take).settled()
        return ended.and_then(
            lambda outcome: from_result(_judged(invocation, outcome, reader.report))
        )

    return succeed(listener).map(_Reader).and_then(attended)


@final
class _Reader:
    """Reads what an agent says while it says it; one is made each time the effect runs."""

    def __init__(self, listener: OutputListener | None) -> None:
        self.report = AgentReport()
        self._listener = listener

    def take(self, stream: str, lines: Sequence[bytes]) -> None:
        """Take the next lines in, and pass them on."""
        if stream == "stdout":
            for line in lines:
                self.report = self.report.after(line)
        if self._listener is not None:
            self._listener(stream, lines)


def _judged(
    invocation: Invocation, outcome: Result[CommandOutput, CommandError], report: AgentReport
) -> Result[AgentOutput, AgentError]:
    if isinstance(outcome, Failure):
        return Failure(AgentError(error=outcome.failure(), report=report))
    output = outcome.unwrap()
    if report.failed:
        return Failure(AgentError(error=_said(invocation, output, report), report=report))
    return Success(AgentOutput(output=output, report=report))


def _said(invocation: Invocation, output: CommandOutput, report: AgentReport) -> CommandError:
    return CommandError(
        fault=CommandFault.EXIT,
        invocation=invocation,
        message=f"`{invocation.argv[0]}` said that it failed: {report.result or 'no reason given'}",
        output=output,
    )
