from __future__ import annotations

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from anabranch.planning.circuit_breaker import (
    AttemptOutcome,
    BreakerPhase,
    BreakerState,
    CircuitBreaker,
    MayStart,
    Ticket,
)
from anabranch.testing.strategies.planning import circuit_breakers, durations


class BreakerMachine(RuleBasedStateMachine):
    """Attempts start and end in any order, time passes, and the promises hold throughout."""

    @initialize(breaker=circuit_breakers())
    def begin(self, breaker: CircuitBreaker) -> None:
        self.breaker = breaker
        self.state = BreakerState()
        self.now = timedelta()
        self.tickets: list[Ticket] = []
        self.failures_in_a_row = 0

    @rule(time=durations(longest=timedelta(seconds=30)))
    def time_passes(self, time: timedelta) -> None:
        self.now += time

    @rule()
    def an_attempt_asks_to_start(self) -> None:
        before = self.state
        decision = self.breaker.start(before, self.now)
        since_opened = self.now - before.opened
        may = {
            BreakerPhase.CLOSED: True,
            BreakerPhase.OPEN: since_opened >= self.breaker.timeout,
            BreakerPhase.HALF_OPEN: self.trials() < self.breaker.half_open_requests,
        }
        assert may[before.phase] is isinstance(decision, MayStart)
        if isinstance(decision, MayStart):
            self.state = decision.state
            self.tickets.append(decision.ticket)
        elif decision.delay is not None:
            assert isinstance(self.breaker.start(before, self.now + decision.delay), MayStart)

    @precondition(lambda self: self.tickets)
    @rule(data=st.data(), outcome=st.sampled_from(AttemptOutcome))
    def an_attempt_ends(self, data: st.DataObject, outcome: AttemptOutcome) -> None:
        ticket = self.tickets.pop(data.draw(st.integers(0, len(self.tickets) - 1)))
        before, stale = self.state, ticket != self.state.era
        self.state = self.breaker.end(before, ticket, outcome, self.now)
        if stale:
            assert before == self.state
        elif outcome is AttemptOutcome.FAILURE:
            self.failures_in_a_row += 1
            opens = (
                before.phase is BreakerPhase.HALF_OPEN
                or self.failures_in_a_row == self.breaker.failure_threshold
            )
            assert opens is (self.state.phase is BreakerPhase.OPEN)
        elif outcome is AttemptOutcome.SUCCESS:
            self.failures_in_a_row = 0
        if before.phase is not self.state.phase:
            self.failures_in_a_row = 0

    def trials(self) -> int:
        return sum(ticket == self.state.era for ticket in self.tickets)

    @invariant()
    def half_open_the_attempts_under_way_are_counted_and_few(self) -> None:
        if self.state.phase is BreakerPhase.HALF_OPEN:
            assert self.trials() == self.state.running
            assert self.state.running <= self.breaker.half_open_requests

    @invariant()
    def it_can_always_be_closed_again(self) -> None:
        """If all attempts end, time passes and the next ones succeed."""
        state, now = self.state, self.now + self.breaker.timeout
        for ticket in self.tickets:
            state = self.breaker.end(state, ticket, AttemptOutcome.ABANDONED, now)
        for _ in range(self.breaker.success_threshold):
            decision = self.breaker.start(state, now)
            assert isinstance(decision, MayStart)
            state = self.breaker.end(decision.state, decision.ticket, AttemptOutcome.SUCCESS, now)
        assert BreakerPhase.CLOSED == state.phase


BreakerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
test_a_breaker_keeps_its_promises = BreakerMachine.TestCase
