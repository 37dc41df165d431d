"""What can happen in a run, as frozen values.

An `Event` is a payload with three things that the journal puts on it: its sequence number
(1, 2, 3… without a gap), the time (UTC, never earlier than the event before), and its cause:
the sequence number of the event that led to it.

Payloads come in pairs where an act touches the world outside: the intent is written before
the act (`CommandStarted`, `MergeStarted`, `DeliveryStarted`), the result after it. An intent
without a result is an act in doubt, and the only kind there is.

A subject id is a path: `setup[0]`, `agent-0`, `agent-0/step[1]`,
`agent-0/step[1]/on_failure[0]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from attrs import Attribute, field, frozen

from anabranch.values import Json, RunStatus, StepStatus

CONDITION_FALSE: Final = "condition_false"
"""Reason for `skipped`: the step's `when` was false. Its dependents go on."""

UPSTREAM_FAILED: Final = "upstream_failed"
"""Reason for `skipped`: a dependency failed; `upstream` names it."""

INTERRUPTED: Final = "interrupted"
"""Reason for `retrying`: the process died during the attempt, which is made again."""


class SubjectKind(StrEnum):
    """What a subject is."""

    STEP = "step"
    AGENT = "agent"


class StopReason(StrEnum):
    """Why a run that is not at its end stops starting work.

    `failure`: a failure under a policy that stops. `limit`: too many failures for a policy
    that otherwise continues. `cancelled`: somebody asked. `signal`: the process was told to end.
    """

    FAILURE = "failure"
    LIMIT = "limit"
    CANCELLED = "cancelled"
    SIGNAL = "signal"


# --- the run -----------------------------------------------------------------------------------


@frozen(kw_only=True)
class RunCreated:
    """A run was made from a workflow. The first event of every journal.

    Attributes:
        run: the run's id.
        workflow: the workflow's name.
        digest: of the normalised workflow; resume compares it.
        branch: the run's own branch, where results gather.
        base: the commit the run started from.
        target: the user's branch that receives the result; `None` if there is none.
        plan: a summary of the plan, for people.
        limits: how many may run at once, by pool; `agents` is the pool of all agents.
        continue_on_failure: whether one item's failure leaves the others alone.
        parent: the run whose dead letters this one retries.
        definition: the normalised workflow, so that a run is resumed without its file. What is
            secret in it is masked; its digest then is no longer `digest`.
        source: the absolute path of the file that it was read from, if it was.
        items: the items that it was given in the place of the workflow's input.
    """

    run: str
    workflow: str
    digest: str
    branch: str | None = None
    base: str | None = None
    target: str | None = None
    plan: Json = None
    limits: Mapping[str, int] = field(factory=dict[str, int])
    continue_on_failure: bool = True
    parent: str | None = None
    definition: Json = None
    source: str | None = None
    items: Json = None


@frozen(kw_only=True)
class Redefined:
    """A run was resumed with a workflow that is no longer the one that it began with.

    Attributes:
        digest, definition: as in `RunCreated`, in whose place they stand from now on.
    """

    digest: str
    definition: Json = None


@frozen(kw_only=True)
class RunMoved:
    """The run went to another status."""

    to: RunStatus
    reason: str | None = None


@frozen(kw_only=True)
class Opened:
    """A process opened the journal to write: the first one, or one that resumes.

    Attributes:
        host, process, boot, process_started: who that is; together unique over time.
        version: of anabranch.
        dropped_bytes: the length of a torn last line that was cut off.
    """

    host: str
    process: int
    boot: str | None = None
    process_started: str | None = None
    version: str | None = None
    dropped_bytes: int = 0


@frozen(kw_only=True)
class StopRequested:
    """From here on nothing new starts, and what has not ended may be cancelled."""

    reason: StopReason
    message: str | None = None


@frozen(kw_only=True)
class PhaseStarted:
    """A phase began: `setup`, `map`, `reduce`, `merge`, `deliver`, or a name of the workflow's."""

    phase: str


@frozen(kw_only=True)
class PhaseEnded:
    """A phase ended. `ok` says whether the run may go on to the next."""

    phase: str
    ok: bool = True


# --- subjects ----------------------------------------------------------------------------------


@frozen(kw_only=True)
class Declared:
    """A step or an agent that will run, or be skipped.

    Attributes:
        subject: its id, unique in the run.
        kind: step or agent.
        label: what to call it for people; `None` is its id.
        phase: the phase it belongs to.
        parent: the subject it runs inside of, declared before it.
        needs: subjects that must be done before it starts.
        max_attempts: how often it may be started, at least 1.
        optional: whether its dependents go on if it fails.
        merges: whether its work is merged into the run's branch when it completes.
        item: the element of the map phase's input, for an agent.
        uses: how much of each pooled resource it holds while it runs.
    """

    subject: str
    kind: SubjectKind = SubjectKind.STEP
    label: str | None = None
    phase: str | None = None
    parent: str | None = None
    needs: tuple[str, ...] = ()
    max_attempts: int = 1
    optional: bool = False
    merges: bool = False
    item: Json = None
    uses: Mapping[str, int] = field(factory=dict[str, int])


@frozen(kw_only=True)
class Moved:
    """A step or an agent went to another status.

    Attributes:
        to: the new status.
        attempt: with `running`, which attempt this is, from 1; otherwise `None`.
        worker: with `running`, who does it; otherwise `None`.
        reason: a word for programs, such as `upstream_failed`.
        upstream: the subject whose failure is the reason.
        message: the error, for people.
        delay: with `retrying`, how long until it is queued again.
    """

    subject: str
    to: StepStatus
    attempt: int | None = None
    worker: str | None = None
    reason: str | None = None
    upstream: str | None = None
    message: str | None = None
    delay: timedelta | None = None


@frozen(kw_only=True)
class CommandStarted:
    """Intent: a command is about to run.

    Attributes:
        command: what runs, shortened for people, with secrets masked.
        index: tells several commands of one subject apart.
        key: the idempotency key that the command finds in its environment.
    """

    subject: str
    command: str
    index: int = 0
    key: str | None = None


@frozen(kw_only=True)
class CommandEnded:
    """Result: a command ended, or could not be started.

    Attributes:
        index: of the `CommandStarted` it answers.
        exit_code: negative for a signal; `None` if there is none.
        fault: why it counts as a failure; `None` if it does not. `unmet` is one that ended well and
            did not do what its step had promised, such as to commit.
        user, system: processor time that it used, in its own code and in the kernel.
        memory_bytes: the peak of the largest of its processes.
        tail: the end of what it printed, with secrets masked; of a coding agent, what it said.
        log: path of the file with everything it printed.
    """

    subject: str
    index: int = 0
    exit_code: int | None = None
    fault: str | None = None
    duration: timedelta = timedelta()
    user: timedelta = timedelta()
    system: timedelta = timedelta()
    memory_bytes: int = 0
    tail: str = ""
    log: str | None = None


@frozen(kw_only=True)
class DoubtSettled:
    """Somebody said what becomes of a step of which nobody knew whether it was done.

    Attributes:
        verdict: `done`, `again` or `failed`.
    """

    subject: str
    verdict: str


@frozen(kw_only=True)
class OutputRecorded:
    """A value that later steps read: a capture, a tool's output, an agent's result."""

    subject: str
    name: str
    value: Json


@frozen(kw_only=True)
class Spent:
    """What an agent cost, as far as it says. Several add up.

    Attributes:
        cost_usd: in US dollars.
        input_tokens, output_tokens: as it counts them.
        cached_tokens: of its input, those that came out of a cache.
        turns: how many it took.
        model: which model answered.
        session: what to resume its work by.
    """

    subject: str
    cost_usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    turns: int = 0
    model: str | None = None
    session: str | None = None


# --- git ---------------------------------------------------------------------------------------


@frozen(kw_only=True)
class WorktreeCreated:
    """A working tree was made for a subject, or a kept one was given to it."""

    subject: str
    path: str
    base: str | None = None
    branch: str | None = None


@frozen(kw_only=True)
class WorktreeRemoved:
    """A subject's working tree was taken away, or given back."""

    subject: str
    path: str


@frozen(kw_only=True)
class Committed:
    """A commit came to be in a subject's working tree."""

    subject: str
    commit: str
    message: str | None = None
    files: tuple[str, ...] = ()
    insertions: int = 0
    deletions: int = 0


@frozen(kw_only=True)
class MergeStarted:
    """Intent: a subject's work is about to be merged."""

    subject: str
    source: str
    target: str


@frozen(kw_only=True)
class Merged:
    """Result: the work is in the target branch. `commit == before` if there was nothing new."""

    subject: str
    target: str
    before: str
    commit: str


@frozen(kw_only=True)
class MergeFailed:
    """Result: the merge did not happen and nothing has moved. `conflicts` are paths."""

    subject: str
    fault: str
    message: str | None = None
    conflicts: tuple[str, ...] = ()


# --- what is left over, and the result ---------------------------------------------------------


@frozen(kw_only=True)
class DeadLettered:
    """A failed item was put aside.

    Attributes:
        signature: alike for alike failures.
        message: the error.
        branch: where its work is kept, if it is.
    """

    subject: str
    signature: str
    message: str | None = None
    branch: str | None = None


@frozen(kw_only=True)
class DeadLetterResolved:
    """A dead letter was taken up by another run (`run`), or discarded (`run` is `None`)."""

    subject: str
    run: str | None = None


@frozen(kw_only=True)
class DeliveryStarted:
    """Intent: the user's branch is about to be brought forward to the run's branch."""

    branch: str
    commit: str | None = None


@frozen(kw_only=True)
class Delivered:
    """Result: where the work is now.

    Attributes:
        commit: the result.
        delivered: whether the user's branch and checkout hold it.
        branch: the run's branch, if it is kept.
        reason: why it was not delivered.
        hint: what to type to take it.
    """

    commit: str
    delivered: bool
    branch: str | None = None
    reason: str | None = None
    hint: str | None = None


@frozen(kw_only=True)
class Unrecognised:
    """An event of a kind that a newer version wrote. It is kept, told and not understood."""

    type: str
    data: Mapping[str, Json]


SubjectPayload: TypeAlias = (
    Declared
    | Moved
    | CommandStarted
    | CommandEnded
    | DoubtSettled
    | OutputRecorded
    | Spent
    | WorktreeCreated
    | WorktreeRemoved
    | Committed
    | MergeStarted
    | Merged
    | MergeFailed
    | DeadLettered
    | DeadLetterResolved
)
"""What happens to one step or agent."""

NotePayload: TypeAlias = Redefined | StopRequested | DeliveryStarted | Delivered | Unrecognised
"""What happens to the run without moving it."""

RunPayload: TypeAlias = Opened | NotePayload | RunCreated | RunMoved | PhaseStarted | PhaseEnded
"""What happens to the run as a whole."""

Payload: TypeAlias = SubjectPayload | RunPayload
"""Everything that can happen."""


def _is_utc(_event: Event, _field: Attribute[datetime], time: datetime) -> None:
    if time.tzinfo is not UTC and time.utcoffset() != timedelta():
        raise ValueError(f"the time of an event is in UTC: {time!r}")


@frozen
class Event:
    """A payload, at its place in the history of a run.

    Attributes:
        sequence: 1 for the first event, and so on without a gap.
        time: when it was written, in UTC.
        payload: what happened.
        cause: the sequence number of the event that led to this one, if one did.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 14, 12, tzinfo=UTC)
    >>> Event(7, noon, Moved(subject="agent-0", to=StepStatus.QUEUED), cause=3).cause
    3
    """

    sequence: int
    time: datetime = field(validator=_is_utc)
    payload: Payload
    cause: int | None = None
