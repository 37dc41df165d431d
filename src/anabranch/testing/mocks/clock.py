"""The mock's clock: virtual time where there is such, and no waiting anywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import define, field

from anabranch.interpreters.strands import virtual_now, virtual_sleep

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The day on which everything in a mock environment begins."""


@define
class MockClock:
    """Counts the time that answers take.

    In virtual time it is what the interpreter says. In a live run nothing waits: the clock
    moves on by what each answer takes, as if one came after the other.

    Attributes:
        start: the day on which it begins.
    """

    start: datetime = START
    _passed: float = field(default=0.0, init=False)

    @property
    def elapsed(self) -> timedelta:
        """How much time has passed."""
        return timedelta(seconds=max(self._passed, virtual_now() or 0.0))

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return self.start + self.elapsed

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        if seconds <= 0:
            return
        if virtual_now() is None:
            self._passed += seconds
        else:
            await virtual_sleep(seconds)
            self._passed = self.elapsed.total_seconds()
