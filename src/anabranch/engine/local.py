"""A run on this machine: the environment made of real services, and the program in it."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import anyio
from attrs import frozen
from returns.result import Failure, Result

from anabranch.environment import Environment, Journal, JournalError
from anabranch.interpreters import run_async
from anabranch.lifecycle import Event, Payload, RunState
from anabranch.program import Identity, program
from anabranch.services.files import LocalFiles
from anabranch.services.git import GitRepository, git_run
from anabranch.services.journal import MemoryJournal
from anabranch.services.processes import HandingFiles, LocalCommands
from anabranch.workflow import Workflow

T = TypeVar("T")

Listener = Callable[[Event], None]

_ENDING: Final = (signal.SIGINT, signal.SIGTERM)


def new_run_id(now: datetime | None = None) -> str:
    """An id that sorts by time and is unique: `20261121-093000-5f3a`."""
    moment = now or datetime.now(UTC)
    return f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


@frozen
class _Told:
    """A journal that tells each event to a listener once it is durable."""

    inner: Journal
    listener: Listener

    async def append(
        self, *payloads: Payload, cause: int | None = None
    ) -> Result[tuple[Event, ...], JournalError]:
        result = await self.inner.append(*payloads, cause=cause)
        for event in result.value_or(()):
            self.listener(event)
        return result


@frozen(kw_only=True)
class LocalRun:
    """A run that is about to begin.

    Attributes:
        workflow: what runs.
        repository: where.
        run: its id.
        listener: sees every event once it is in the journal.
    """

    workflow: Workflow
    repository: GitRepository
    run: str
    listener: Listener = lambda _: None

    async def carry_out(self) -> RunState:
        """Run it to its end, or until this process is told to end.

        Returns:
            The state of the run at its end: the fold of its journal.

        Raises:
            AnabranchError: the input is no input, or the machine did not do its part.
            KeyboardInterrupt: SIGINT or SIGTERM came; the run has ended in order.
        """
        journal = MemoryJournal(now=lambda: datetime.now(UTC))
        effect = program(self.workflow, Identity(run=self.run))
        added = self.repository.command_environment(os.environ)
        async with git_run(self.repository, self.run) as git:
            env = Environment(
                worktrees=git.worktrees,
                commands=HandingFiles(
                    LocalCommands(
                        logs=str(self._directory / "logs"), environ={**os.environ, **added}
                    )
                ),
                merges=git.merges,
                files=LocalFiles(),
                journal=_Told(journal, self.listener),
            )
            result = await _until_told_to_end(lambda: run_async(effect, env))
        if isinstance(result, Failure):
            raise result.failure()
        return journal.state

    @property
    def _directory(self) -> Path:
        return Path(self.repository.state, "runs", self.run)


async def _until_told_to_end(start: Callable[[], Awaitable[T]]) -> T:
    """Await it; SIGINT and SIGTERM cancel it, and its finalisers run first."""
    results: list[T] = []
    async with anyio.create_task_group() as tasks:

        async def watch() -> None:
            with anyio.open_signal_receiver(*_ENDING) as signals:
                async for _ in signals:
                    tasks.cancel_scope.cancel()
                    return

        tasks.start_soon(watch)
        results.append(await start())
        tasks.cancel_scope.cancel()
    if not results:
        raise KeyboardInterrupt
    return results[0]
