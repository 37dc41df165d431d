"""Commands as processes of this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from signal import SIGKILL
from time import monotonic
from types import TracebackType
from typing import Final, Self, final

from anyio import CancelScope
from returns.result import Failure, Result, Success

from anabranch.environment import (
    Captured,
    CommandError,
    CommandFault,
    CommandOutput,
    Invocation,
    OutputListener,
)
from anabranch.lifecycle import Masker
from anabranch.services.processes.attendance import Attendance
from anabranch.services.processes.capture import Limits, Stream
from anabranch.services.processes.child import Child, Containment, Refusal, Start
from anabranch.services.processes.choice import BestContainment
from anabranch.services.processes.ending import end
from anabranch.services.processes.inheritance import Inherited, checked, encoded
from anabranch.services.processes.logs import open_log
from anabranch.services.processes.pump import Input, Pump, UnattendedError
from anabranch.services.processes.refusals import out_of, unspeakable
from anabranch.values import format_duration

_DEFAULT_LIMITS: Final = Limits()
_GRACE: Final = timedelta(seconds=5)


@final
class LocalCommands:
    r"""Runs commands as processes of this machine: the live `CommandRunner`.

    Each command leads a session of its own, without a terminal, and reads an empty input unless
    it is given one. A listener is called on the event loop with the lines as they come, without
    their ends; while it works the command waits, once its pipe is full. As a context manager
    it ends, at its exit, what commands left running.

    Args:
        logs: a directory for log files, named after the label of each command; `None` keeps
            only what memory holds.
        limits: how much of each stream memory holds.
        environ: what commands inherit; `None` is this process's environment as it is now.
        masker: keeps secrets out of logs and from listeners; what memory holds is as it came.
        containment: how trees of processes are held together.

    >>> import anyio, os
    >>> hello = Invocation(argv=("echo", "hello"), cwd=os.getcwd())
    >>> anyio.run(LocalCommands().run, hello).unwrap().stdout.text
    'hello\n'
    """

    def __init__(
        self,
        *,
        logs: str | None = None,
        limits: Limits = _DEFAULT_LIMITS,
        environ: Mapping[str, str] | None = None,
        masker: Masker | None = None,
        containment: Containment | None = None,
    ) -> None:
        self._logs = logs
        self._limits = limits
        self._masker = masker
        self._inherited = Inherited(os.environ if environ is None else environ)
        self._containment = containment or BestContainment()
        self._lingering: list[tuple[Path, Child]] = []

    async def run(
        self, invocation: Invocation, listener: OutputListener | None = None
    ) -> Result[CommandOutput, CommandError]:
        """Run a command to its end; an exit code other than 0 is no failure here.

        On a timeout, on cancellation and on an interrupt its whole process tree is asked to
        end, and what is left after `invocation.grace` is killed, before this returns.

        Returns:
            What it printed and its exit code; a failure if it could not be started or did not
            end in time.
        """
        began = monotonic()
        given = Input(invocation.stdin)
        try:
            begun = await self._begin(invocation, given)
            if isinstance(begun, Failure):
                return Failure(_refused(invocation, begun.failure()))
            out = self._stream(invocation, "stdout", listener)
            err = self._stream(invocation, "stderr", listener)
            pump = Pump(begun.unwrap(), given, (out, err))
            attendance, captured = await self._attend(invocation, pump, begun.unwrap())
        except UnattendedError as error:
            return Failure(_refused(invocation, out_of(error.args[0])))
        finally:
            given.close()
        lasted = timedelta(seconds=monotonic() - began)
        return _verdict(invocation, attendance, captured, lasted)

    async def _begin(self, invocation: Invocation, given: Input) -> Result[Child, Refusal]:
        try:
            return await self._containment.start(self._start(invocation, given.open()))
        except OSError as error:
            return Failure(out_of(error))
        except ValueError as error:
            return Failure(unspeakable(str(error)))

    async def _attend(
        self, invocation: Invocation, pump: Pump, child: Child
    ) -> tuple[Attendance, tuple[Captured, Captured]]:
        attendance = Attendance(pump, child, limit=invocation.timeout, grace=invocation.grace)
        try:
            await attendance.attend()
            return attendance, pump.finish()
        finally:
            pump.close()
            child.hang_up(drained=pump.finished)
            self._let_go(invocation.cwd, child)

    def _let_go(self, cwd: str, child: Child) -> None:
        self._lingering = [each for each in self._lingering if _lives_on(each[1])]
        if _lives_on(child):
            self._lingering.append((Path(cwd), child))

    async def end_within(self, directory: str, grace: timedelta = _GRACE) -> None:
        """End what commands left running that ran in a directory or below it.

        A command that ends by itself may leave something in the background: a server that
        later commands talk to. It lives until this is called for its directory, at the latest
        until `aclose`, or until this process ends, however it ends.

        Args:
            directory: such as a worktree that is about to be removed.
            grace: between asking and killing.
        """
        within = [child for cwd, child in self._lingering if cwd.is_relative_to(directory)]
        if within:
            with CancelScope(shield=True):
                await end(within, grace)
            self._lingering = [each for each in self._lingering if _lives_on(each[1])]

    async def __aenter__(self) -> Self:
        self._containment.prepare()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End what commands left running, and let go of everything. Twice is once."""
        try:
            await self.end_within("/")
        finally:
            for _, child in self._lingering:
                child.release()
            self._lingering.clear()
            self._containment.close()

    def _stream(self, invocation: Invocation, name: str, listener: OutputListener | None) -> Stream:
        return Stream(
            self._limits,
            open_log=partial(open_log, self._logs, invocation.label, name) if self._logs else None,
            listener=partial(listener, name) if listener else None,
            masker=self._masker,
        )

    def _start(self, invocation: Invocation, stdin: int | None) -> Start:
        if not any(invocation.argv[:1]):
            raise ValueError("no program is named")
        return Start(
            argv=invocation.argv,
            cwd=invocation.cwd,
            inherited=self._inherited,
            # `PWD`, as some programs believe their environment more than the system.
            own=checked({b"PWD": os.fsencode(invocation.cwd), **encoded(invocation.env)}),
            stdin=stdin,
        )


def _lives_on(child: Child) -> bool:
    """Whether something of it is alive; if not, it is let go of."""
    if child.lingers():
        return True
    child.release()
    return False


def _verdict(
    invocation: Invocation,
    attendance: Attendance,
    captured: tuple[Captured, Captured],
    lasted: timedelta,
) -> Result[CommandOutput, CommandError]:
    ended = attendance.ended
    if ended.refusal is not None:
        return Failure(_refused(invocation, ended.refusal))
    output = CommandOutput(
        exit_code=-SIGKILL if ended.code is None else ended.code,
        stdout=captured[0],
        stderr=captured[1],
        duration=lasted,
        usage=ended.usage,
    )
    if attendance.timed_out:
        return Failure(_timed_out(invocation, output, survived=not attendance.gone))
    return Success(output) if ended.code is not None else Failure(_lost(invocation, output))


def _refused(invocation: Invocation, refusal: Refusal) -> CommandError:
    return CommandError(
        fault=refusal.fault, invocation=invocation, message=refusal.message, hint=refusal.hint
    )


def _timed_out(invocation: Invocation, output: CommandOutput, *, survived: bool) -> CommandError:
    limit = _shown(invocation.timeout or timedelta())
    return CommandError(
        fault=CommandFault.TIMED_OUT,
        invocation=invocation,
        message=f"timed out after {limit}: {invocation.argv[0]}",
        output=output,
        hint="some of its processes could not be killed and are still alive" if survived else None,
    )


def _shown(limit: timedelta) -> str:
    if limit < timedelta(seconds=1):
        return f"{limit / timedelta(milliseconds=1):g}ms"
    return format_duration(limit)


def _lost(invocation: Invocation, output: CommandOutput) -> CommandError:
    return CommandError(
        fault=CommandFault.EXIT,
        invocation=invocation,
        message=f"exit code unknown: {invocation.argv[0]}",
        output=output,
        hint="whoever watched it was killed, or this program collects every child (`waitpid(-1)`)",
    )
