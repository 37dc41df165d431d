"""A run that is cancelled from outside: its process ends in order, then it is put away."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from anyio import to_thread
from attrs import frozen

from anabranch.engine.local import (
    Listener,
    interpreted,
    local_environment,
    recorded_secrets,
    until_told_to_end,
)
from anabranch.engine.taking_over import end_what_was_left
from anabranch.lifecycle import RUN_TERMINAL, RunCreated, RunState
from anabranch.program import Identity, cancellation
from anabranch.services.git import GitRepository
from anabranch.services.owners import Life, Owner
from anabranch.services.runs import read_run
from anabranch.services.stopping import end_in_order
from anabranch.values import HostError, UsageError


@frozen(kw_only=True)
class Cancellation:
    """A run that was cancelled.

    Attributes:
        state: the fold of its journal.
        ended: the process that worked on it and was told to end; `None` if there was none.
        branches: those that hold work which was not delivered, the run's own first.
    """

    state: RunState
    ended: Owner | None
    branches: tuple[str, ...]


@frozen(kw_only=True)
class LocalCancellation:
    """A run that is about to be cancelled.

    Attributes:
        repository: where.
        run: its id.
        listener: sees every event once it is in the journal.
    """

    repository: GitRepository
    run: str
    listener: Listener = lambda _: None

    async def carry_out(self) -> Cancellation:
        """Tell its process to end, wait until it has, and put away what is left.

        Raises:
            UsageError: there is no such run, or nothing is left of it to cancel.
            HostError: its process is on another machine or somebody else's, or the machine did
                not do its part.
            KeyboardInterrupt: SIGINT, SIGTERM or SIGHUP came; it can be cancelled again.
        """
        return await until_told_to_end(self._carried_out)

    async def _carried_out(self) -> Cancellation:
        ended = await self._ended()
        async with local_environment(
            self.repository, run=self.run, listener=self.listener, secrets=self._secrets()
        ) as local:
            past = local.journal.state
            created = _cancellable(past, ended)
            since = past.created_at or datetime.now(UTC)
            await to_thread.run_sync(end_what_was_left, self.repository, self.run, since)
            branches = await interpreted(cancellation(Identity.of(created), past), local)
            return Cancellation(state=local.journal.state, ended=ended, branches=branches)

    def _secrets(self) -> list[str]:
        """Those that are set: to put a run away, nobody has to know its secrets."""
        names = recorded_secrets(self.repository, self.run)
        return [name for name in names if os.environ.get(name)]

    async def _ended(self) -> Owner | None:
        """The process that worked on the run, once it has ended; `None` if there was none."""
        found = await to_thread.run_sync(read_run, self.repository.state, self.run)
        if found.summary.status in RUN_TERMINAL:
            raise _over(found.summary.status)
        if found.owner is None:
            return None
        if found.life is Life.UNKNOWN:
            message, hint = "the run is worked on elsewhere", "cancel it on that machine"
            raise HostError.of("run-elsewhere", message, value=str(found.owner), hint=hint)
        return found.owner if await end_in_order(found.owner) else None


def _cancellable(past: RunState, ended: Owner | None) -> RunCreated:
    """What was said of the run when it was made, if there is something to cancel.

    Raises:
        UsageError: there is not.
    """
    if past.created is None:
        raise UsageError.of("no-run", "the run never began, nothing is left of it to cancel")
    if past.status in RUN_TERMINAL:
        raise _over(past.status, "it came to its end just before" if ended else None)
    hint = f"anabranch resume {past.created.run}"
    if past.delivering is not None:
        message = "the delivery was under way: your checkout may be half way"
        raise UsageError.of("run-delivering", message, value=past.created.run, hint=hint)
    if past.delivered is not None and not past.is_being_cancelled:
        message = "all of the run is done, it only has to say so"
        raise UsageError.of("run-done", message, value=past.created.run, hint=hint)
    return past.created


def _over(status: str, hint: str | None = None) -> UsageError:
    message = "the run has ended, nothing is left to cancel"
    return UsageError.of("run-ended", message, value=status, hint=hint)
