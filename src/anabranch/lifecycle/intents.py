"""Which events have to be on disk before the run goes on.

A journal is written in order, so whatever survives a crash is a prefix of what happened. Two
kinds of prefix are harmful: one that lacks the announcement of an act that was begun (nobody
would know that it is in doubt), and one that lacks a status of the run that somebody was told.
Losing the report of an act that has ended is not harmful: the act is in doubt, as it is when
the crash comes between the act and its report, and resuming finds out.

A status of a subject announces nothing by itself: the commands it leads to are announced on
their own, and the working tree of an agent can be found by its name, which the declarations
of all agents announce. So a run waits for its announcements, and for nothing else. The end of a
phase counts as one: what the phase left in the run's working tree may be taken away after it. A
report is durable before any later announcement is.
"""

from __future__ import annotations

from anabranch.lifecycle.events import (
    CommandStarted,
    Declared,
    DeliveryStarted,
    MergeStarted,
    Payload,
    PhaseEnded,
    RunCreated,
    RunMoved,
    StopRequested,
    SubjectKind,
)


def is_announcement(payload: Payload) -> bool:
    """Whether the run may go on only when this is on disk.

    >>> is_announcement(CommandStarted(subject="setup[0]", command="make"))
    True
    >>> from anabranch.lifecycle.events import CommandEnded
    >>> is_announcement(CommandEnded(subject="setup[0]", exit_code=0))
    False
    """
    if isinstance(payload, Declared):
        return payload.kind is SubjectKind.AGENT
    return isinstance(payload, _ANNOUNCEMENTS)


_ANNOUNCEMENTS = (
    CommandStarted,
    MergeStarted,
    DeliveryStarted,
    RunCreated,
    RunMoved,
    PhaseEnded,
    StopRequested,
)
