"""A run that is told to stop, in a mock environment, at each of its calls of a port."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from attrs import define

from anabranch.environment import Environment
from anabranch.interpreters import run_async
from anabranch.lifecycle import RUN_TERMINAL, RunCreated, verify
from anabranch.program import program
from anabranch.testing import MockEnvironment
from anabranch.values import RunStatus
from tests.program.crashes import IDENTITY, resume
from tests.program.test_program import environment, merged, workflow


@define
class Stop:
    """Tells a run to stop when it has made so many calls."""

    at: int
    scope: anyio.CancelScope
    calls: int = 0

    async def heed(self) -> None:
        """One more call was made; whoever can be interrupted is, here."""
        self.calls += 1
        if self.calls > self.at:
            self.scope.cancel()
        await checkpoint()


@define
class _Stopped:
    """A port whose calls are counted when they are done."""

    port: Any
    stop: Stop

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.port, name)

        async def call(*args: Any, **more: Any) -> Any:
            answer = await method(*args, **more)
            await self.stop.heed()
            return answer

        return call


def stopped(at: int, backend: str) -> tuple[MockEnvironment, bool]:
    """The world of a run that was told to stop, and whether it was at its end before."""
    env = environment()

    async def scenario() -> bool:
        with anyio.CancelScope() as scope:
            stop = Stop(at=at, scope=scope)
            names = ("worktrees", "commands", "merges", "files", "journal")
            ports: dict[str, Any] = {name: _Stopped(getattr(env, name), stop) for name in names}
            await run_async(program(workflow(), IDENTITY), Environment(**ports))
        return not scope.cancel_called

    return env, anyio.run(scenario, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_run_that_is_told_to_stop_while_it_writes_its_first_line_says_so(backend: str) -> None:
    env, _ = stopped(0, backend)
    assert isinstance(env.journal.events[0].payload, RunCreated)
    assert RunStatus.INTERRUPTED is env.journal.state.status


def test_wherever_a_run_is_told_to_stop_its_journal_says_so_and_it_can_be_resumed() -> None:
    at, ended = 0, False
    while not ended:
        env, ended = stopped(at, "asyncio")
        status = env.journal.state.status
        assert status is RunStatus.INTERRUPTED or status in RUN_TERMINAL, at
        if status is RunStatus.INTERRUPTED:
            env = resume(env)
        assert RunStatus.COMPLETED is env.journal.state.status, at
        assert ["agent-0", "agent-1", "agent-2", "agent-3"] == sorted(merged(env)), at
        assert () == verify(env.journal.events, state=env.journal.state), at
        at += 1
    assert at > 1
