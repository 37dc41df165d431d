"""The state of a run, as frozen values. It is what `fold` makes of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from attrs import field, frozen

from anabranch.lifecycle.events import (
    Delivered,
    DeliveryStarted,
    Event,
    Opened,
    RunCreated,
    StopReason,
    StopRequested,
)
from anabranch.lifecycle.subjects import Subject
from anabranch.lifecycle.transitions import RUN_TERMINAL
from anabranch.values import RunStatus


@frozen(kw_only=True)
class Phase:
    """When a phase ran. `ended_at` and `ok` are `None` while it runs.

    Attributes:
        away: how long nobody worked on the run while the phase had begun and not ended.
    """

    started_at: datetime
    ended_at: datetime | None = None
    ok: bool | None = None
    away: timedelta = timedelta()


@frozen(kw_only=True)
class RunState:
    """Where a run stands after its first `sequence` events.

    Attributes:
        sequence: of the last event; 0 before the first.
        updated_at: the time of the last event.
        status: where the run stands.
        created: what the run was made from; the workflow as it was last redefined.
        created_at, started_at, ended_at: made, first started, at its end.
        story: its creation and every transition of the run itself, oldest first.
        opened: every process that wrote the journal, oldest first.
        away: how long no process was alive, though nobody had said that the run was interrupted.
        stop: why nothing new starts any more; forgotten when the run is resumed.
        phases: in the order they began.
        subjects: steps and agents, in the order they were declared.
        delivering: a delivery that was begun and has not ended.
        delivered: where the result is.
        unrecognised: kinds of events that a newer version wrote.
    """

    sequence: int = 0
    updated_at: datetime | None = None
    status: RunStatus = RunStatus.PENDING
    created: RunCreated | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    story: tuple[Event, ...] = ()
    opened: tuple[Opened, ...] = ()
    away: timedelta = timedelta()
    stop: StopRequested | None = None
    phases: Mapping[str, Phase] = field(factory=dict[str, Phase])
    subjects: Mapping[str, Subject] = field(factory=dict[str, Subject])
    delivering: DeliveryStarted | None = None
    delivered: Delivered | None = None
    unrecognised: frozenset[str] = frozenset()

    @property
    def is_being_cancelled(self) -> bool:
        """Whether it was begun to put the run away, and not ended."""
        cancelled = self.stop is not None and self.stop.reason is StopReason.CANCELLED
        return cancelled and self.status not in RUN_TERMINAL


EMPTY: Final = RunState()
"""The state before the first event."""
