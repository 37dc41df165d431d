"""What is done with dead letters: they are retried in a run of their own, or discarded."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from attrs import frozen
from returns.result import Failure, Result, Success

from anabranch.engine.local import Listener, LocalRun
from anabranch.environment import MergeError, Merges
from anabranch.lifecycle import (
    RUN_TERMINAL,
    STARS,
    DeadLetterResolved,
    Event,
    Letter,
    RunCreated,
    RunState,
    dead_letters,
)
from anabranch.program.faults import fatal
from anabranch.services.git import GitRepository, git_run
from anabranch.services.journal import FileJournal, open_journal
from anabranch.services.runs import require_run, run_directory
from anabranch.values import HostError, Problem, UsageError
from anabranch.workflow import Workflow


@frozen(kw_only=True)
class LocalRetry:
    """Dead letters of a run, about to be tried again in a run of their own.

    Attributes:
        repository: where.
        parent: the run that they are of; it has ended.
        subjects: which; all of them if empty.
        run: the id of the new run.
        workflow: what runs; the same as in `parent`.
        source: the absolute path of its file, if it has one.
        listener: sees every event of the new run once it is in its journal.
    """

    repository: GitRepository
    parent: str
    subjects: tuple[str, ...] = ()
    run: str
    workflow: Workflow
    source: str | None = None
    listener: Listener = lambda _: None

    async def carry_out(self) -> RunState:
        """Run the items through the workflow, and merge and deliver what succeeds.

        The letters are taken out of the queue when the new run has begun: from then on they are
        its affair, and what fails again lies in its queue.

        Returns:
            The state of the new run at its end.

        Raises:
            UsageError: the run has not ended, or there is no such letter.
            AnabranchError: another process holds the journal, or the machine did not do its part.
            KeyboardInterrupt: SIGINT, SIGTERM or SIGHUP came; the new run can be resumed.
        """
        async with _letters(self.repository, self.parent, self.subjects) as (journal, letters):
            _refuse_masked(letters)
            run = LocalRun(
                workflow=self.workflow,
                repository=self.repository,
                run=self.run,
                source=self.source,
                parent=self.parent,
                items=tuple(letter.item for letter in letters),
                listener=partial(self._heard, journal, letters),
            )
            return await run.carry_out()

    def _heard(self, journal: FileJournal, letters: Sequence[Letter], event: Event) -> None:
        if isinstance(event.payload, RunCreated):
            for letter in letters:
                journal.note(DeadLetterResolved(subject=letter.subject, run=self.run))
        self.listener(event)


async def discard_letters(
    repository: GitRepository, run: str, subjects: tuple[str, ...] = ()
) -> tuple[Letter, ...]:
    """Take dead letters out of the queue of a run, and drop the branches that hold their work.

    A letter whose branch cannot be dropped stays in the queue.

    Args:
        repository: where.
        run: the run that they are of; it has ended.
        subjects: which; all of them if empty.

    Returns:
        What was discarded.

    Raises:
        UsageError: the run has not ended, or there is no such letter.
        HostError: another process holds the journal, or it cannot be written; or branches that
            could not be dropped, all of them.
    """
    problems: list[Problem] = []
    async with (
        _letters(repository, run, subjects) as (journal, letters),
        git_run(repository, run) as git,
    ):
        for letter in letters:
            dropped = await _dropped(git.merges, letter)
            if isinstance(dropped, Failure):
                problems += fatal(dropped.failure()).problems
            else:
                journal.note(DeadLetterResolved(subject=letter.subject))
    if problems:
        raise HostError(*problems)
    return letters


async def _dropped(merges: Merges, letter: Letter) -> Result[None, MergeError]:
    """Drop the branch of a letter, if it has one."""
    return Success(None) if letter.branch is None else await merges.drop(letter.branch)


@asynccontextmanager
async def _letters(
    repository: GitRepository, run: str, subjects: tuple[str, ...]
) -> AsyncGenerator[tuple[FileJournal, tuple[Letter, ...]]]:
    """The journal of a run that has ended, held, and the letters that are meant."""
    require_run(repository.state, run)
    directory = run_directory(repository.state, run)
    async with open_journal(directory, now=lambda: datetime.now(UTC)) as journal:
        if journal.state.status not in RUN_TERMINAL:
            hint = f"`anabranch resume {run}` first"
            raise UsageError.of("run-not-ended", "the run has not ended", value=run, hint=hint)
        yield journal, letters_named(run, dead_letters(journal.state), subjects)
        written = await journal.flush()
        if isinstance(written, Failure):
            raise fatal(written.failure())


def _refuse_masked(letters: Sequence[Letter]) -> None:
    """An item that held a secret is not in the journal as it was, and cannot be run again."""
    masked = [x.subject for x in letters if STARS in json.dumps(x.item).encode()]
    if masked:
        hint = "run the workflow anew for them"
        message = "these items hold a secret, which is masked in the journal"
        raise UsageError.of("masked-item", message, value=", ".join(masked), hint=hint)


def letters_named(
    run: str, letters: Sequence[Letter], subjects: Sequence[str] = ()
) -> tuple[Letter, ...]:
    """Some letters of a run.

    Args:
        run: the run that they are of.
        letters: all that are in its queue.
        subjects: which; all of them if empty.

    Raises:
        UsageError: there is no such letter, or none at all.
    """
    known = {letter.subject: letter for letter in letters}
    hint = f"`anabranch dlq list {run}` lists them"
    missing = [
        Problem(code="no-letter", message="no such dead letter", value=name, hint=hint)
        for name in subjects
        if name not in known
    ]
    if missing:
        raise UsageError(*missing)
    if not known:
        raise UsageError.of("no-letter", "nothing is in its dead-letter queue")
    return tuple(known[name] for name in subjects) if subjects else tuple(letters)
