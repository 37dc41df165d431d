"""A run on this machine: the environment made of real services, and the program in it."""

from __future__ import annotations

import os
import secrets
import signal
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import anyio
from anyio import to_thread
from attrs import field, frozen
from returns.result import Failure, Result, Success

from anabranch.effects import Effect
from anabranch.engine.taking_over import end_what_was_left
from anabranch.environment import Environment, Journal, JournalError, MapEnv
from anabranch.interpreters import run_async
from anabranch.lifecycle import (
    DoubtSettled,
    Event,
    Masker,
    Payload,
    RunState,
    fold,
    workflow_to_resume,
)
from anabranch.planning.unattended import unattended
from anabranch.program import Identity, Verdict, open_questions, program, steps_in_doubt
from anabranch.services.files import LocalFiles
from anabranch.services.git import GitRepository, git_run, worktrees_within_budget
from anabranch.services.journal import FileJournal, MaskedJournal, open_journal, read_segments
from anabranch.services.processes import HandingFiles, LocalCommands
from anabranch.services.runs import require_run, run_directory
from anabranch.values import (
    AnabranchError,
    ConfigError,
    Json,
    Location,
    Problem,
    UsageError,
    did_you_mean,
)
from anabranch.workflow import Workflow

T = TypeVar("T")
E = TypeVar("E")

Listener = Callable[[Event], None]

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def new_run_id(now: datetime | None = None) -> str:
    """An id that sorts by time, to 16 microseconds, and ends at random: `20261121-093000-5f3a9c`."""
    moment = now or datetime.now(UTC)
    fraction = (moment.microsecond << 16) // 1_000_000
    return f"{moment:%Y%m%d-%H%M%S}-{fraction:04x}{secrets.token_hex(1)}"


def _now() -> datetime:
    return datetime.now(UTC)


@frozen
class _Told:
    """A journal that tells each event to a listener once it is written."""

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
class Local:
    """An environment of this machine, the journal in it to look into, and what is secret."""

    env: Environment
    journal: FileJournal
    masker: Masker


@asynccontextmanager
async def local_environment(
    repository: GitRepository,
    *,
    run: str,
    listener: Listener = lambda _: None,
    secrets: Sequence[str] = (),
) -> AsyncGenerator[Local]:
    """The ports made real in a repository, for as long as the context lasts.

    Args:
        repository: where.
        run: the id under which worktrees are made and logs are kept; nobody else's meanwhile.
        listener: sees every event once it is in the journal.
        secrets: the environment variables whose values are kept out of journal, logs, events
            and errors.

    Raises:
        HostError: another process works under that id.
        ConfigError: a variable that holds a secret is not set.
    """
    directory = Path(repository.state, "runs", run)
    environ = unattended(repository.command_environment(os.environ))
    logs = str(directory / "logs")
    masker = Masker.of(_values(secrets))
    processes = LocalCommands(logs=logs, environ=environ, masker=masker)
    async with (
        git_run(repository, run, leaving=processes.end_within) as git,
        open_journal(directory, now=_now) as journal,
        processes as commands,
    ):
        env = Environment(
            worktrees=git.worktrees,
            commands=HandingFiles(commands),
            merges=git.merges,
            files=LocalFiles(),
            journal=_Told(MaskedJournal(journal, masker), listener),
        )
        yield Local(env=env, journal=journal, masker=masker)


def _values(names: Sequence[str]) -> list[str]:
    """The values of variables that hold secrets."""
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise ConfigError(
            Problem(
                code="missing-secret",
                message="these variables of `secrets` are not set",
                where=Location(path="secrets"),
                value=", ".join(missing),
                hint=f"set them before the run: `export {missing[0]}=…`",
            )
        )
    return [os.environ[name] for name in names]


def run_in_repository(effect: Effect[T, E, MapEnv], path: str = ".") -> Result[T, E]:
    """Run an effect in a git repository of this machine, from ordinary code.

    Args:
        effect: what to run: worktrees, commands, merges.
        path: any directory of the repository.

    Raises:
        HostError: no repository, no commit in it, or no git.
        KeyboardInterrupt: SIGINT, SIGTERM or SIGHUP came to the main thread, and it runs there;
            finalisers have run.
    """

    async def carry_out() -> Result[T, E]:
        repository = open_repository(path)
        async with local_environment(repository, run=new_run_id()) as local:
            return await until_told_to_end(lambda: run_async(effect, local.env))

    return anyio.run(carry_out)


def open_repository(path: str) -> GitRepository:
    """The repository that a directory belongs to.

    Raises:
        HostError: no repository, no commit in it, or no git.
    """
    found = GitRepository.open(path)
    if isinstance(found, Failure):
        raise found.failure()
    return found.unwrap()


@frozen(kw_only=True)
class LocalRun:
    """A run that is about to begin.

    Attributes:
        workflow: what runs.
        repository: where.
        run: its id; a new one by default.
        source: the absolute path of the file that the workflow was read from, if it was.
        parent: the run whose dead letters it retries, if it does.
        items: what it works on in the place of the workflow's input; `None` is the input.
        listener: sees every event once it is in the journal.
    """

    workflow: Workflow
    repository: GitRepository
    run: str = field(factory=new_run_id)
    source: str | None = None
    parent: str | None = None
    items: tuple[Json, ...] | None = None
    listener: Listener = lambda _: None

    async def carry_out(self) -> RunState:
        """Run it to its end, or until this process is told to end.

        Returns:
            The state of the run at its end: the fold of its journal.

        Raises:
            AnabranchError: the input is no input, or the machine did not do its part.
            KeyboardInterrupt: SIGINT, SIGTERM or SIGHUP came; the run has ended in order.
        """
        return await until_told_to_end(self._carried_out)

    async def _carried_out(self) -> RunState:
        base, target = self.repository.head()
        worktrees = await to_thread.run_sync(
            worktrees_within_budget, self.repository, self.run, base
        )
        identity = Identity(
            run=self.run,
            base=base,
            target=target,
            source=self.source,
            parent=self.parent,
            items=self.items,
        )
        async with local_environment(
            self.repository,
            run=self.run,
            listener=self.listener,
            secrets=self.workflow.secrets,
        ) as local:
            effect = program(self.workflow, identity, masker=local.masker, worktrees=worktrees)
            await interpreted(effect, local)
            return local.journal.state


@frozen(kw_only=True)
class LocalResumption:
    """A run that was interrupted and is about to go on.

    Attributes:
        repository: where.
        run: its id.
        workflow: what the workflow says today; `None` is what the run recorded.
        force: whether a workflow that has changed is accepted, as far as it can be.
        verdicts: what becomes of steps of which nobody knows whether they were done.
        begin: told once, before anything else, where the run stands.
        listener: sees every event once it is in the journal.
    """

    repository: GitRepository
    run: str
    workflow: Workflow | None = None
    force: bool = False
    verdicts: Mapping[str, Verdict] = field(factory=dict[str, Verdict])
    begin: Callable[[RunState], None] = lambda _: None
    listener: Listener = lambda _: None

    async def carry_out(self) -> RunState:
        """Go on to the end, or until this process is told to end.

        What the dead process had started and is still alive is ended first.

        Returns:
            The state of the run at its end: the fold of its journal.

        Raises:
            UsageError: there is no such run, nothing is left of it to do, somebody began to
                cancel it, a verdict is on a step that is not in doubt, or one is missing.
            ConfigError: the workflow has changed: the differences.
            AnabranchError: another process works on the run, or the machine did not do its part.
            KeyboardInterrupt: SIGINT, SIGTERM or SIGHUP came; the run has ended in order.
        """
        require_run(self.repository.state, self.run)
        return await until_told_to_end(self._carried_out)

    async def _carried_out(self) -> RunState:
        async with local_environment(
            self.repository,
            run=self.run,
            listener=self.listener,
            secrets=recorded_secrets(self.repository, self.run, self.workflow, force=self.force),
        ) as local:
            workflow = self._workflow(local.journal.state)
            past = self._judged(workflow, local.journal)
            _refuse_open_questions(workflow, past)
            assert past.created is not None
            since = past.created_at or _now()
            await to_thread.run_sync(end_what_was_left, self.repository, self.run, since)
            self.begin(past)
            identity = Identity.of(past.created)
            worktrees = await to_thread.run_sync(
                worktrees_within_budget, self.repository, self.run, identity.base
            )
            effect = program(workflow, identity, past, masker=local.masker, worktrees=worktrees)
            await interpreted(effect, local)
            return local.journal.state

    def _workflow(self, past: RunState) -> Workflow:
        if past.is_being_cancelled:
            hint = f"anabranch cancel {self.run}"
            message = "somebody began to cancel the run, and part of it is put away"
            raise UsageError.of("run-being-cancelled", message, value=self.run, hint=hint)
        return workflow_to_resume(past, self.workflow, force=self.force)

    def _judged(self, workflow: Workflow, journal: FileJournal) -> RunState:
        """Where the run stands, with what was said of steps in doubt."""
        doubtful = steps_in_doubt(workflow, journal.state)
        sure = [name for name in self.verdicts if name not in doubtful]
        if sure:
            raise UsageError(*(_not_asked(name, doubtful) for name in sure))
        for name, verdict in self.verdicts.items():
            journal.note(DoubtSettled(subject=name, verdict=verdict.value))
        return journal.state


def recorded_secrets(
    repository: GitRepository, run: str, workflow: Workflow | None = None, *, force: bool = False
) -> Sequence[str]:
    """What the workflow of a run calls secret; none if it cannot be resumed.

    That it cannot is not told here, but under the run's lock.

    Args:
        repository: where.
        run: its id.
        workflow: what the workflow says today; `None` is what the run recorded.
        force: whether one that has changed is accepted, as far as it can be.

    Raises:
        ConfigError: the workflow has changed.
    """
    journal = read_segments(run_directory(repository.state, run))
    with suppress(UsageError):
        return workflow_to_resume(fold(journal.events), workflow, force=force).secrets
    return ()


def _not_asked(name: str, doubtful: Sequence[str]) -> Problem:
    return Problem(
        code="not-in-doubt",
        message="nobody asks about this step",
        value=name,
        expected=f"one of {', '.join(doubtful)}" if doubtful else "nothing: no step is in doubt",
        hint=did_you_mean(name, doubtful),
    )


def _refuse_open_questions(workflow: Workflow, past: RunState) -> None:
    """Make sure that somebody has said what becomes of steps that ask."""
    questions = open_questions(workflow, past)
    if questions:
        name = questions[0]
        hint = f"look, then add `--done '{name}'`, `--again '{name}'` or `--failed '{name}'`"
        message = "nobody knows whether these steps were done, and they are not to be guessed"
        raise UsageError.of("in-doubt", message, value=", ".join(questions), hint=hint)


async def interpreted(effect: Effect[T, AnabranchError, MapEnv], local: Local) -> T:
    """Carry an effect out.

    Raises:
        AnabranchError: what it failed with, masked.
    """
    result = await run_async(effect, local.env)
    if isinstance(result, Failure):
        raise local.masker.error(result.failure())
    return result.unwrap()


async def until_told_to_end(start: Callable[[], Awaitable[T]]) -> T:
    """Await it; SIGINT, SIGTERM and SIGHUP cancel it, and its finalisers run first.

    What is ignored, as SIGHUP is under `nohup`, stays so. Only the main thread hears signals: in
    another one it is awaited and nothing more. What it raises is raised as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        return await start()
    heard = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    results: list[Result[T, Exception]] = []
    async with anyio.create_task_group() as tasks:

        async def watch() -> None:
            with anyio.open_signal_receiver(*heard) as signals:
                async for _ in signals:
                    tasks.cancel_scope.cancel()
                    return

        tasks.start_soon(watch)
        try:
            results.append(Success(await start()))
        except Exception as error:  # noqa: BLE001 (the group would wrap it)
            results.append(Failure(error))
        tasks.cancel_scope.cancel()
    if not results:
        raise KeyboardInterrupt
    if isinstance(results[0], Failure):
        raise results[0].failure()
    return results[0].unwrap()
