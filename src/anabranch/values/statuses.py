"""The words for how far a step, an agent or a run has come."""

from __future__ import annotations

from enum import StrEnum


class StepStatus(StrEnum):
    """Where a step, an item or an agent stands. The transitions are in `anabranch.lifecycle`."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    VALIDATING = "validating"
    RETRYING = "retrying"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class RunStatus(StrEnum):
    """Where a run stands. The transitions are in `anabranch.lifecycle`."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
