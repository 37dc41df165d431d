"""The history of a run: the port that it is written through."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from attrs import frozen
from returns.result import Result

from anabranch.lifecycle import Event, Payload


class JournalFault(StrEnum):
    """Why the journal could not be written."""

    NO_SPACE = "no_space"
    READ_ONLY = "read_only"
    CLOSED = "closed"
    IO = "io"


@frozen(kw_only=True)
class JournalError:
    """Events that are not in the journal. What was written before them is safe."""

    fault: JournalFault
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        """One line for people."""
        return self.message


class Journal(Protocol):
    """The history of a run, append-only. It puts sequence numbers and times on what happens."""

    async def append(
        self, *payloads: Payload, cause: int | None = None
    ) -> Result[tuple[Event, ...], JournalError]:
        """Write what happened, in order, all of it or nothing.

        What announces an act (`lifecycle.is_announcement`) is durable when this returns, and
        with it everything before it. What reports one is durable soon.

        Args:
            payloads: what happened, in order.
            cause: the sequence number of the event that led to all of them.

        Returns:
            The events, in the same order.

        Raises:
            InvalidTransition: the tables do not allow it. A defect of the caller; nothing
                was written.
        """
        ...
