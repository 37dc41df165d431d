"""A circuit breaker around effects: the decisions are `planning`'s, the memory is here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, Never, TypeVar

from attrs import define, field
from returns.result import Failure, Result, Success

from anabranch.effects.constructors import from_result
from anabranch.effects.core import Bracket, Effect, Exit, Map, Now, Succeed, Then
from anabranch.effects.errors import CircuitOpen
from anabranch.planning.circuit_breaker import (
    AttemptOutcome,
    BreakerState,
    CircuitBreaker,
    MustWait,
    Ticket,
)

T = TypeVar("T")
E = TypeVar("E")
Env = TypeVar("Env")

ATTEMPT_OUTCOMES: Final = {
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

    def _start(self, seconds: float) -> Effect[Ticket, CircuitOpen, object]:
        return from_result(self._decided(timedelta(seconds=seconds)))

    def _decided(self, now: timedelta) -> Result[Ticket, CircuitOpen]:
        decision = self.settings.start(self.state, now)
        if isinstance(decision, MustWait):
            return Failure(CircuitOpen(decision.delay or timedelta()))
        self.state = decision.state
        return Success(decision.ticket)

    def _end(self, ticket: Ticket, exit_: Exit) -> Effect[Any, Any, Any]:
        def remember(seconds: float) -> Effect[None, Never, object]:
            now = timedelta(seconds=seconds)
            self.state = self.settings.end(self.state, ticket, ATTEMPT_OUTCOMES[exit_], now)
            return Succeed(None)

        return Then(Now(), remember)


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
