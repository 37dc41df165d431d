"""The failure policy of a map phase at work: the decisions are `planning`'s, the memory is here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, Never, TypeVar

from attrs import define, evolve, field

from anabranch.effects import Breaker, Do, Effect, do, now, sleep
from anabranch.effects.core import Bracket, Exit, Wait
from anabranch.lifecycle import Subject, SubjectKind
from anabranch.planning import (
    AttemptFailure,
    FailureDecision,
    FailurePolicy,
    MayStart,
    RetryAfter,
    Stop,
    StopCause,
    Tally,
    Ticket,
    decide,
    stop_reason,
)
from anabranch.values import StepStatus

T = TypeVar("T")
E = TypeVar("E")
Env = TypeVar("Env")


@define(eq=False)
class Oversight:
    """What is known of all agents together, and what the policy says about it.

    Attributes:
        policy: what to do about items that fail.
        tally: the items that have finished so far.
        stopped: why no agent starts any more; `None` while they do.
    """

    policy: FailurePolicy
    tally: Tally = field(factory=Tally)
    stopped: StopCause | None = field(default=None, init=False)
    _breaker: Breaker | None = field(default=None, init=False)
    _waiting: list[Callable[[], object]] = field(factory=list[Any], init=False)

    def __attrs_post_init__(self) -> None:
        self.stopped = stop_reason(self.policy, self.tally)
        if self.policy.circuit_breaker is not None:
            self._breaker = Breaker(self.policy.circuit_breaker)

    def completed(self) -> None:
        """Note that an item has finished well."""
        self.tally = evolve(self.tally, completed=self.tally.completed + 1)

    def decided(self, failure: AttemptFailure) -> FailureDecision:
        """Decide about an attempt that failed; unless it is made again, its item has finished."""
        decision = decide(self.policy, self.tally, failure)
        if not isinstance(decision, RetryAfter):
            self.tally = evolve(self.tally, failed=self.tally.failed + 1)
        if isinstance(decision, Stop):
            self.stopped = self.stopped or decision.reason
        return decision

    def guarded(self, attempt: Effect[T, E, Env]) -> Effect[T, E, Env]:
        """Make an attempt when the circuit breaker lets it, if there is one."""
        breaker = self._breaker
        if breaker is None:
            return attempt
        return Bracket(self._ticket(breaker), partial(self._ended, breaker), lambda _: attempt)

    @do
    def _ticket(self, breaker: Breaker) -> Do[Ticket | None, Never, object]:
        """Wait until an attempt may start, or none will."""
        while self.stopped is None:
            decision = breaker.ask((yield from now()))
            if isinstance(decision, MayStart):
                return decision.ticket
            if decision.delay is None:
                yield from Wait(self._waiting.append)
            else:
                yield from sleep(decision.delay)
        return None

    def _ended(
        self, breaker: Breaker, ticket: Ticket | None, exit_: Exit
    ) -> Effect[None, Never, object]:
        def remember(seconds: float) -> None:
            if ticket is not None:
                breaker.tell(ticket, exit_, seconds)
            waiting, self._waiting = self._waiting, []
            for tell in waiting:
                tell()

        return now().map(remember)


_DONE: Final = frozenset({StepStatus.COMPLETED, StepStatus.VALIDATING})
_FAILED: Final = frozenset({StepStatus.FAILED, StepStatus.TIMED_OUT})


def tally_of(past: Iterable[Subject]) -> Tally:
    """Count the items that had finished before a run was taken up again.

    An agent whose work could not be merged had done it: the policy is about what it did.
    """
    agents = [subject for subject in past if subject.declared.kind is SubjectKind.AGENT]
    done = [agent for agent in agents if agent.status in _DONE or agent.work.conflict is not None]
    failed = (agent.status in _FAILED and agent.work.conflict is None for agent in agents)
    return Tally(completed=len(done), failed=sum(failed))
