"""Where steps, agents and runs may go: one table each, and the theory behind them.

A *subject* is anything with a life of its own inside a run: a step, or an agent (the run of
the template for one item). A subject, and the run itself, is a finite state machine. What it
may do next is data: the two tables below are the only place where that is said. The fold
refuses what they do not allow, `verify` reports it, the diagrams in the documentation are
generated from them, and the test strategies walk them.

The life of a subject
    `pending` is declared, waiting for its dependencies; `queued` may start as soon as there
    is room; `running` is at work, and is the only status with a worker. What ran to its end
    passes through `validating` (at once, if there is nothing to validate) to `completed`.
    What failed, or took too long, with attempts left goes to `retrying` for the length of its
    delay and then back into the queue, so a retry competes for room like everything else and
    never overtakes a limit. `failed` and `timed_out` mean: no attempts left.
    A failed validation is not retried, so there is no way from `validating` back to the queue.

Skipped or cancelled
    `skipped` is a decision of the plan: a condition was false, or something upstream failed.
    It can only befall what has not started. `cancelled` is a decision of people or of a
    policy, and can befall everything that has not ended.

The life of a run
    `running` and `paused` are one region: whatever ends a run from outside (cancelling it,
    the death of its process) can befall it in either, but only a running run can reach its
    own end. `interrupted` is no end: the process died or was told to stop, and `resume` goes
    on from there. `partial` is the end of a run in which something failed under a policy
    that lets the rest go on.

Why an interruption is not a status of subjects
    A process that dies writes nothing. The journal of a dead run therefore says `running` of
    what was in flight, truthfully: it was begun, and nobody knows how it ended. The resuming
    process finds out and then says so with ordinary transitions: `running → validating` for
    work that had been done, `running → retrying → queued` (reason `interrupted`, the attempt
    number stays) for work that is done again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anabranch.values import RunStatus, StepStatus

_S, _R = StepStatus, RunStatus

STEP_TRANSITIONS: Final[Mapping[StepStatus, frozenset[StepStatus]]] = {
    _S.PENDING: frozenset({_S.QUEUED, _S.SKIPPED, _S.CANCELLED}),
    _S.QUEUED: frozenset({_S.RUNNING, _S.CANCELLED, _S.SKIPPED}),
    _S.RUNNING: frozenset({_S.VALIDATING, _S.RETRYING, _S.FAILED, _S.TIMED_OUT, _S.CANCELLED}),
    _S.VALIDATING: frozenset({_S.COMPLETED, _S.FAILED, _S.CANCELLED}),
    _S.RETRYING: frozenset({_S.QUEUED, _S.CANCELLED}),
    _S.COMPLETED: frozenset(),
    _S.FAILED: frozenset(),
    _S.TIMED_OUT: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.SKIPPED: frozenset(),
}
"""From each status of a step or an agent, the statuses it may go to."""

RUN_TRANSITIONS: Final[Mapping[RunStatus, frozenset[RunStatus]]] = {
    _R.PENDING: frozenset({_R.RUNNING, _R.CANCELLED}),
    _R.RUNNING: frozenset(
        {_R.PAUSED, _R.INTERRUPTED, _R.COMPLETED, _R.PARTIAL, _R.FAILED, _R.CANCELLED}
    ),
    _R.PAUSED: frozenset({_R.RUNNING, _R.INTERRUPTED, _R.CANCELLED}),
    _R.INTERRUPTED: frozenset({_R.RUNNING}),
    _R.COMPLETED: frozenset(),
    _R.PARTIAL: frozenset(),
    _R.FAILED: frozenset(),
    _R.CANCELLED: frozenset(),
}
"""From each status of a run, the statuses it may go to."""

STEP_TERMINAL: Final = frozenset(s for s, exits in STEP_TRANSITIONS.items() if not exits)
"""The statuses in which a step or an agent has ended."""

LIVE: Final = frozenset({_R.RUNNING, _R.PAUSED})
"""Where a run stands while a process works on it."""

RUN_TERMINAL: Final = frozenset(s for s, exits in RUN_TRANSITIONS.items() if not exits)
"""The statuses in which a run has ended."""

UNSUCCESSFUL: Final = STEP_TERMINAL - {StepStatus.COMPLETED}
"""The ends that are not `completed`."""
