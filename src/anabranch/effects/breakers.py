"""A circuit breaker around effects: the decisions are `planning`'s, the memory is here."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final, Never, TypeVar

from attrs import define, field

from anabranch.effects.core import Bracket, Effect, Exit, Fail, Map, Now, Succeed, Then
from anabranch.effects.errors import CircuitOpen
from anabranch.planning.circuit_breaker import (
    AttemptOutcome,
    BreakerState,
    CircuitBreaker,
    MayStart,
    StartDecision,
    Ticket,
)

T = TypeVar("T")
E = TypeVar("E")
Env = TypeVar("Env")

_OUTCOMES: Final = {
    Exit.OK: AttemptOutcome.SUCCESS,
    Exit.FAILED: AttemptOutcome.FAILURE,
    Exit.RAISED: AttemptOutcome.ABANDONED,
}
"""What a breaker makes of how an effect ended."""


@define(eq=False)
class Breaker:
    """A breaker that is in use. Everything it protects shares its memory."""

    settings: CircuitBreaker
    state: BreakerState = field(factory=BreakerState)

    def protect(self, effect: Effect[T, E, Env]) -> Effect[T, E | CircuitOpen, Env]:
        """Run the effect if the breaker lets it; otherwise fail with `CircuitOpen` at once.

        Failures count against the service, cancellation and exceptions count neither way.
        """
        return Bracket(Then(Now(), self._start), self._end, lambda _: effect)

    def ask(self, seconds: float) -> StartDecision:
        """Whether an attempt may start at this moment; if so, it counts as started."""
        decision = self.settings.start(self.state, timedelta(seconds=seconds))
        if isinstance(decision, MayStart):
            self.state = decision.state
        return decision

    def tell(self, ticket: Ticket, exit_: Exit, seconds: float) -> None:
        """Note how an attempt ended at this moment."""
        moment, outcome = timedelta(seconds=seconds), _OUTCOMES[exit_]
        self.state = self.settings.end(self.state, ticket, outcome, moment)

    def _start(self, seconds: float) -> Effect[Ticket, CircuitOpen, object]:
        decision = self.ask(seconds)
        if isinstance(decision, MayStart):
            return Succeed(decision.ticket)
        return Fail(CircuitOpen(decision.delay or timedelta()))

    def _end(self, ticket: Ticket, exit_: Exit) -> Effect[None, Never, object]:
        return Map(Now(), partial(self.tell, ticket, exit_))


def circuit_breaker(settings: CircuitBreaker) -> Effect[Breaker, Never, object]:
    """Make a breaker; a new one in each run.

    >>> from anabranch import CircuitBreaker, circuit_breaker, fail, run
    >>> settings = CircuitBreaker(failure_threshold=1, timeout="30s")
    >>> def twice(breaker):
    ...     call = breaker.protect(fail("down"))
    ...     return call.or_else(lambda _: call).map_error(str)
    >>> print(run(circuit_breaker(settings).and_then(twice)).failure())
    circuit open, try again in 30s
    """
    return Map(Succeed(settings), Breaker)
