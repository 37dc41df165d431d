"""Commands that answer as a script says."""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen
from returns.result import Failure, Result, Success

from anabranch.environment import (
    CommandError,
    CommandFault,
    CommandOutput,
    Invocation,
    OutputListener,
)
from anabranch.testing.mocks.clock import MockClock
from anabranch.testing.mocks.replies import prompt_of
from anabranch.testing.mocks.scripts import After, Reader
from anabranch.values import format_duration, lines_of

Answer: TypeAlias = CommandOutput | CommandError
Call: TypeAlias = tuple[str, object]


@frozen
class MockCommands:
    """Commands that start no process.

    Attributes:
        answers: to commands, by their text.
        agents: to prompts of coding agents; without it they are commands like any other.
        calls: where to note what was asked.
        clock: counts the time that they take.
    """

    answers: Reader[Invocation, Answer]
    agents: Reader[Invocation, Answer] | None
    calls: list[Call]
    clock: MockClock

    async def run(
        self, invocation: Invocation, listener: OutputListener | None = None
    ) -> Result[CommandOutput, CommandError]:
        """Answer after the time that it takes, and tell the listener; or run into the timeout."""
        self.calls.append(("run", invocation))
        reply = self._reply(invocation)
        limit = None if invocation.timeout is None else invocation.timeout.total_seconds()
        if limit is not None and reply.seconds > limit:
            await self.clock.wait(limit)
            return Failure(_timed_out(invocation))
        await self.clock.wait(reply.seconds)
        if isinstance(reply.answer, CommandError):
            return Failure(reply.answer)
        _tell(reply.answer, listener)
        return Success(reply.answer)

    def _reply(self, invocation: Invocation) -> After[Answer]:
        asked = self.agents is not None and prompt_of(invocation) is not None
        reader = self.agents if asked and self.agents is not None else self.answers
        reply = reader.reply(invocation)
        assert reply is not None, "a script of commands has an answer to everything"
        if not reply.seconds and isinstance(reply.answer, CommandOutput):
            return After(reply.answer.duration.total_seconds(), reply.answer)
        return reply


def _tell(output: CommandOutput, listener: OutputListener | None) -> None:
    if listener is None:
        return
    for name, stream in (("stdout", output.stdout), ("stderr", output.stderr)):
        if lines := lines_of(stream.head):
            listener(name, lines)


def _timed_out(invocation: Invocation) -> CommandError:
    assert invocation.timeout is not None
    return CommandError(
        fault=CommandFault.TIMED_OUT,
        invocation=invocation,
        message=f"`{invocation.argv[-1]}` took longer than {format_duration(invocation.timeout)}",
    )
