"""Runs in a mock world that stop dead: at a port's call, or at an event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from attrs import define, evolve, field, frozen
from returns.result import Failure, Result

from anabranch import Effect, run
from anabranch.environment import (
    Environment,
    JournalError,
    MapEnv,
    Worktree,
    WorktreeError,
    WorktreeRequest,
)
from anabranch.lifecycle import Event, Payload, RunState, fold, is_announcement
from anabranch.program import Identity, cancellation, program
from anabranch.services.journal import MemoryJournal
from anabranch.testing import MockEnvironment
from anabranch.testing.mocks import MockWorktrees
from anabranch.testing.mocks.journal import KeptJournal
from anabranch.values import AnabranchError
from anabranch.workflow import Workflow
from tests.program.test_program import workflow

IDENTITY = Identity(run="r1")


class Dead(Exception):  # noqa: N818 (what has become of the process)
    """The process is dead: it does nothing any more."""


@define
class Fuse:
    """Counts calls, and burns through at one of them.

    Attributes:
        last: how many calls are made before the process dies; `None` is no end.
        after: whether the call at which it dies is still made.
    """

    last: int | None
    after: bool = False
    calls: int = 0
    dead: bool = False

    async def around(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """Make a call, unless the process is dead or dies of it."""
        if self.dead:
            raise Dead
        self.calls += 1
        self.dead = self.calls - 1 == self.last
        if self.dead and not self.after:
            raise Dead
        answer = await call()
        if self.dead:
            raise Dead
        return answer


@frozen
class _Fused:
    """A port behind a fuse."""

    port: Any
    fuse: Fuse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.port, name)

        async def call(*args: Any, **more: Any) -> Any:
            return await self.fuse.around(lambda: method(*args, **more))

        return call


@define
class _NextProcess:
    """Worktrees as a new process finds them: those of a dead one give way, or are reopened.

    What was committed in one is on its branch when it is gone.
    """

    port: MockWorktrees
    mine: set[str] = field(factory=set[str])

    async def create(self, request: WorktreeRequest) -> Result[Worktree, WorktreeError]:
        if request.name not in self.mine:
            self.port.alive.pop(request.name, None)
        self.mine.add(request.name)
        self.port.branches.pop(request.branch or "", None)
        return await self.port.create(request)

    async def reopen(self, request: WorktreeRequest) -> Result[Worktree | None, WorktreeError]:
        self.mine.add(request.name)
        return await self.port.reopen(request)

    async def remove(self, worktree: Worktree) -> Result[None, WorktreeError]:
        self.mine.discard(worktree.name)
        if worktree.branch is not None:
            changed = await self.port.changes(worktree)
            self.port.branches[worktree.branch] = changed.unwrap().head
        return await self.port.remove(worktree)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.port, name)


@define
class _Watched:
    """A journal that dies before or after an event, and knows what of it is on the disk."""

    inner: KeptJournal
    fuse: Fuse
    ends: Callable[[Payload], bool]
    durable: int = 0

    async def append(
        self, *payloads: Payload, cause: int | None = None
    ) -> Result[tuple[Event, ...], JournalError]:
        async def write() -> Result[tuple[Event, ...], JournalError]:
            written = await self.inner.append(*payloads, cause=cause)
            if any(map(is_announcement, payloads)):
                self.durable = len(self.inner.events)
            return written

        if any(map(self.ends, payloads)):
            self.fuse.last = self.fuse.calls
        answer: Result[tuple[Event, ...], JournalError] = await self.fuse.around(write)
        return answer


def crashed(
    env: MockEnvironment,
    ends: Callable[[Payload], bool] = lambda _: False,
    *,
    fuse: Fuse | None = None,
    after: bool = False,
    lost: Callable[[int, int], int] = lambda _, written: written,
    flow: Workflow | None = None,
    cancelling: bool = False,
) -> MockEnvironment:
    """Run until the process dies; the world as it is then.

    Args:
        env: the world, and the journal so far.
        ends: the event at which it dies.
        fuse: the call at which it dies.
        after: whether the event is still written.
        lost: from how many events are surely on the disk and how many were written, how many
            the next process finds.
        flow: what runs.
        cancelling: whether the run is cancelled, and does not go on.
    """
    burning = fuse or Fuse(last=None, after=after)
    journal = _Watched(env.journal, burning, ends, durable=len(env.journal.events))
    fused = Environment(
        worktrees=_fused(_NextProcess(env.worktrees), burning),
        commands=_fused(env.commands, burning),
        merges=_fused(env.merges, burning),
        files=_fused(env.files, burning),
        journal=journal,
    )
    past = past_of(env)
    effect: Effect[Any, AnabranchError, MapEnv] = program(flow or workflow(), IDENTITY, past)
    if cancelling:
        assert past is not None
        effect = cancellation(IDENTITY, past)
    with suppress(Dead, BaseExceptionGroup):
        run(effect, fused)
    events = journal.inner.events
    found = lost(journal.durable, len(events)) if burning.dead else len(events)
    return evolve(env, journal=MemoryJournal(events=events[:found]))


def _fused(port: object, fuse: Fuse) -> Any:
    return _Fused(port, fuse)


def past_of(env: MockEnvironment) -> RunState | None:
    """What the journal of a world says of the run."""
    state = fold(env.journal.events)
    return None if state.created is None else state


def resume(env: MockEnvironment, flow: Workflow | None = None) -> MockEnvironment:
    """Go on to the end.

    Raises:
        AnabranchError: what the program failed with.
    """
    ports = Environment(
        worktrees=_fused(_NextProcess(env.worktrees), Fuse(last=None)),
        commands=env.commands,
        merges=env.merges,
        files=env.files,
        journal=env.journal,
    )
    result = run(program(flow or workflow(), IDENTITY, past_of(env)), ports)
    if isinstance(result, Failure):
        raise result.failure()
    return env
