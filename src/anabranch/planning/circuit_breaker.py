"""A circuit breaker: after failures in a row, start nothing for a while, then try carefully.

    phase      on                                             next phase
    closed     `failure_threshold` failures in a row          open
    open       a start, `timeout` after it opened             half-open
    half-open  a failure                                      open
    half-open  `success_threshold` successes                  closed

It is a pure machine. The moment comes in as the time since the run began, and every answer is a
new state. A start gives a ticket, and the end of that attempt hands it in: an attempt from before
the last change of phase says nothing about the present one, and its end changes nothing.
Half-open, no more than `half_open_requests` attempts are under way at a time; as they end others
may start, so a breaker whose attempts all end can always be closed again.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import NewType, TypeAlias

from attrs import evolve, field, frozen

from anabranch.planning.checks import at_least, refuse
from anabranch.values import parse_duration

Ticket = NewType("Ticket", int)
"""Given at a start, handed in at its end."""


class BreakerPhase(StrEnum):
    """Whether attempts may start."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class AttemptOutcome(StrEnum):
    """How an attempt ended; one that was abandoned counts neither way."""

    SUCCESS = "success"
    FAILURE = "failure"
    ABANDONED = "abandoned"


@frozen(kw_only=True)
class BreakerState:
    """What a breaker remembers. A new one is closed.

    Attributes:
        phase: whether attempts may start.
        era: how often the phase has changed.
        failures: failures in a row, while closed.
        successes: successes, while half-open.
        running: attempts under way, while half-open.
        opened: when it opened last.
    """

    phase: BreakerPhase = BreakerPhase.CLOSED
    era: int = 0
    failures: int = 0
    successes: int = 0
    running: int = 0
    opened: timedelta = timedelta()


@frozen
class MayStart:
    """Start, and remember the ticket."""

    state: BreakerState
    ticket: Ticket


@frozen
class MustWait:
    """Do not start: ask again after `delay`, or if it is `None`, when an attempt has ended."""

    delay: timedelta | None


StartDecision: TypeAlias = MayStart | MustWait
"""What `CircuitBreaker.start` answers."""


@frozen(kw_only=True)
class CircuitBreaker:
    """The settings of a breaker, and its transitions.

    Attributes:
        failure_threshold: so many failures in a row open it.
        success_threshold: so many successes, half-open, close it.
        timeout: how long it stays open before attempts are tried again.
        half_open_requests: how many attempts may be under way at a time, half-open.

    Raises:
        ConfigError: a count below 1.

    >>> breaker = CircuitBreaker(failure_threshold=1, timeout="30s")
    >>> first = breaker.start(BreakerState(), timedelta())
    >>> state = breaker.end(first.state, first.ticket, AttemptOutcome.FAILURE, timedelta(seconds=5))
    >>> breaker.start(state, timedelta(seconds=20))
    MustWait(delay=datetime.timedelta(seconds=15))
    """

    failure_threshold: int = 5
    success_threshold: int = 3
    timeout: timedelta = field(default=timedelta(seconds=30), converter=parse_duration)
    half_open_requests: int = 3

    def __attrs_post_init__(self) -> None:
        refuse(
            [
                *at_least("failure_threshold", self.failure_threshold, 1),
                *at_least("success_threshold", self.success_threshold, 1),
                *at_least("half_open_requests", self.half_open_requests, 1),
            ]
        )

    def start(self, state: BreakerState, now: timedelta) -> StartDecision:
        """Whether an attempt may start.

        Args:
            state: where the breaker stands.
            now: the time since the run began; it never goes back.
        """
        match state.phase:
            case BreakerPhase.CLOSED:
                return _started(state)
            case BreakerPhase.OPEN:
                left = self.timeout - (now - state.opened)
                if left > timedelta():
                    return MustWait(left)
                return _started(_changed(state, BreakerPhase.HALF_OPEN))
            case BreakerPhase.HALF_OPEN:
                full = state.running >= self.half_open_requests
                return MustWait(None) if full else _started(state)

    def end(
        self, state: BreakerState, ticket: Ticket, outcome: AttemptOutcome, now: timedelta
    ) -> BreakerState:
        """The state after an attempt has ended.

        Args:
            state: where the breaker stands.
            ticket: what the attempt was given when it started.
            outcome: how it ended.
            now: the time since the run began.
        """
        if ticket != state.era:
            return state
        if state.phase is BreakerPhase.CLOSED:
            return self._ended_closed(state, outcome, now)
        return self._ended_half_open(state, outcome, now)

    def _ended_closed(
        self, state: BreakerState, outcome: AttemptOutcome, now: timedelta
    ) -> BreakerState:
        match outcome:
            case AttemptOutcome.SUCCESS:
                return evolve(state, failures=0)
            case AttemptOutcome.FAILURE:
                failed = evolve(state, failures=state.failures + 1)
                return _opened(state, now) if failed.failures >= self.failure_threshold else failed
            case AttemptOutcome.ABANDONED:
                return state

    def _ended_half_open(
        self, state: BreakerState, outcome: AttemptOutcome, now: timedelta
    ) -> BreakerState:
        ended = evolve(state, running=state.running - 1)
        match outcome:
            case AttemptOutcome.SUCCESS:
                succeeded = evolve(ended, successes=state.successes + 1)
                enough = succeeded.successes >= self.success_threshold
                return _changed(state, BreakerPhase.CLOSED) if enough else succeeded
            case AttemptOutcome.FAILURE:
                return _opened(state, now)
            case AttemptOutcome.ABANDONED:
                return ended


def _started(state: BreakerState) -> MayStart:
    counts = state.phase is BreakerPhase.HALF_OPEN
    return MayStart(evolve(state, running=state.running + counts), Ticket(state.era))


def _changed(state: BreakerState, phase: BreakerPhase) -> BreakerState:
    return BreakerState(phase=phase, era=state.era + 1, opened=state.opened)


def _opened(state: BreakerState, now: timedelta) -> BreakerState:
    return evolve(_changed(state, BreakerPhase.OPEN), opened=now)
