"""A journal in which no secret is written."""

from __future__ import annotations

from attrs import frozen
from returns.result import Result

from anabranch.environment import Journal, JournalError
from anabranch.lifecycle import Event, Masker, Payload


@frozen
class MaskedJournal:
    """A `Journal` that masks what events say before another one writes them.

    The events that come back are the masked ones: what is written is what is seen.
    """

    inner: Journal
    masker: Masker

    async def append(
        self, *payloads: Payload, cause: int | None = None
    ) -> Result[tuple[Event, ...], JournalError]:
        """Write what happened, without its secrets."""
        return await self.inner.append(*map(self.masker.payload, payloads), cause=cause)
