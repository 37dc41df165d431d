"""The state of a run, as frozen values. It is what `fold` makes of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from attrs import field, frozen

from anabranch.lifecycle.events import (
    CommandEnded,
    CommandStarted,
    Committed,
    DeadLettered,
    Declared,
    Delivered,
    DeliveryStarted,
    Event,
    Merged,
    MergeFailed,
    MergeStarted,
    Opened,
    RunCreated,
    StopRequested,
    WorktreeCreated,
)
from anabranch.values import Json, RunStatus, StepStatus


@frozen(kw_only=True)
class Work:
    """What a subject did to the world.

    Attributes:
        in_doubt: commands that were begun and have not ended.
        last: how the last command ended.
        outputs: values for later steps, by name.
        worktree: its working tree, while it has one.
        commits: what it committed, oldest first.
        merging: a merge that was begun and has not ended.
        merged, conflict: how the merge ended.
        letter: why it lies in the dead-letter queue; `None` if it does not, or no longer.
        cost_usd, input_tokens, output_tokens: what it cost so far.
    """

    in_doubt: tuple[CommandStarted, ...] = ()
    last: CommandEnded | None = None
    outputs: Mapping[str, Json] = field(factory=dict[str, Json])
    worktree: WorktreeCreated | None = None
    commits: tuple[Committed, ...] = ()
    merging: MergeStarted | None = None
    merged: Merged | None = None
    conflict: MergeFailed | None = None
    letter: DeadLettered | None = None
    cost_usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0


NO_WORK: Final = Work()
"""The work of a subject that has not begun."""


@frozen(kw_only=True)
class Subject:
    """Where one step or agent stands.

    Attributes:
        declared: what it was declared to be.
        status: where it stands.
        attempt: the number of its last attempt; 0 before the first.
        worker: who does it, exactly while it is running.
        created_at, started_at, ended_at: declared, first started, at its end.
        story: its declaration and every transition, oldest first.
        work: what it did to the world.
    """

    declared: Declared
    status: StepStatus
    attempt: int
    worker: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    story: tuple[Event, ...]
    work: Work


@frozen(kw_only=True)
class Phase:
    """When a phase ran. `ended_at` and `ok` are `None` while it runs."""

    started_at: datetime
    ended_at: datetime | None = None
    ok: bool | None = None


@frozen(kw_only=True)
class RunState:
    """Where a run stands after its first `sequence` events.

    Attributes:
        sequence: of the last event; 0 before the first.
        updated_at: the time of the last event.
        status: where the run stands.
        created: what the run was made from.
        created_at, started_at, ended_at: made, first started, at its end.
        story: its creation and every transition of the run itself, oldest first.
        opened: every process that wrote the journal, oldest first.
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
    stop: StopRequested | None = None
    phases: Mapping[str, Phase] = field(factory=dict[str, Phase])
    subjects: Mapping[str, Subject] = field(factory=dict[str, Subject])
    delivering: DeliveryStarted | None = None
    delivered: Delivered | None = None
    unrecognised: frozenset[str] = frozenset()


EMPTY: Final = RunState()
"""The state before the first event."""
