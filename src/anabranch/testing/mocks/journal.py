"""A journal in memory that can be made to fail."""

from __future__ import annotations

from typing import Protocol, TypeAlias

from attrs import frozen
from returns.result import Failure, Result

from anabranch.environment import Journal, JournalError
from anabranch.lifecycle import Event, Payload, RunState
from anabranch.services.journal import MemoryJournal
from anabranch.testing.mocks.clock import MockClock
from anabranch.testing.mocks.scripts import Reader

JournalAnswer: TypeAlias = JournalError | None
"""An error, or `None` for an entry as usual."""


class KeptJournal(Journal, Protocol):
    """A journal that can be looked into."""

    @property
    def events(self) -> list[Event]:
        """What was written."""
        ...

    @property
    def state(self) -> RunState:
        """The fold of it."""
        ...


@frozen
class MockJournal:
    """A journal in memory.

    Attributes:
        answers: to `append`, by the kinds of what is appended.
        inner: keeps the events.
        clock: counts the time that it takes, and stamps the events.
    """

    answers: Reader[tuple[Payload, ...], JournalAnswer]
    inner: MemoryJournal
    clock: MockClock

    @property
    def events(self) -> list[Event]:
        """What was written."""
        return self.inner.events

    @property
    def state(self) -> RunState:
        """The fold of it."""
        return self.inner.state

    async def append(
        self, *payloads: Payload, cause: int | None = None
    ) -> Result[tuple[Event, ...], JournalError]:
        """Keep what happened, after the time that it takes; or fail, and keep nothing."""
        reply = self.answers.reply(payloads)
        if reply is not None:
            await self.clock.wait(reply.seconds)
            if reply.answer is not None:
                return Failure(reply.answer)
        return await self.inner.append(*payloads, cause=cause)


def kinds_of(payloads: tuple[Payload, ...]) -> str:
    """What is appended, in words: the names of the classes.

    >>> from anabranch.lifecycle import Declared, PhaseStarted
    >>> kinds_of((PhaseStarted(phase="map"), Declared(subject="a")))
    'PhaseStarted Declared'
    """
    return " ".join(type(payload).__name__ for payload in payloads)
