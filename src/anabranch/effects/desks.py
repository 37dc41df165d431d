"""Resources that effects hold while they run: the decisions are `planning`'s, the memory is here.

An effect that asks for something is put in a queue. Whoever comes, goes or has waited long
enough asks `anabranch.planning.admit`, the same function that plans and checks schedules, and
tells those whose turn it is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Never, TypeVar

from attrs import define, field
from returns.result import Success

from anabranch.effects.constructors import from_function
from anabranch.effects.core import Bracket, Effect, Now, OrElse, Succeed, Then, Timeout, Wait
from anabranch.planning.admission import Request, Usage, admit, ended, started
from anabranch.planning.resources import Claim, Limits

T = TypeVar("T")
E = TypeVar("E")
Env = TypeVar("Env")

_TICK = timedelta(microseconds=1)


@define(eq=False)
class _Visitor:
    """Somebody who waits, or holds what it asked for."""

    request: Request
    turn: tuple[int, ...]
    admitted: bool = False
    tell: Callable[[], object] | None = None

    def told(self) -> None:
        """Tell it to look again, if it waits."""
        tell, self.tell = self.tell, None
        if tell is not None:
            tell()


@define(eq=False)
class Desk:
    """Where effects get what they claim. Everything that it serves shares its memory."""

    limits: Limits
    _usage: Usage = field(factory=Usage, init=False)
    _queue: list[_Visitor] = field(factory=list[_Visitor], init=False)
    _look_again: timedelta | None = field(default=None, init=False)
    _arrivals: int = field(default=0, init=False)

    def holding(
        self,
        name: str,
        claims: tuple[Claim, ...],
        effect: Effect[T, E, Env],
        *,
        turn: tuple[int, ...] = (),
    ) -> Effect[T, E, Env]:
        """Run an effect once all its claims are met, and give them back however it ends.

        Args:
            name: whose claims they are.
            claims: what it holds while it runs, taken all at once.
            effect: what to run.
            turn: lower ones come first among those that wait; equals in the order they came.
        """
        if not claims:
            return effect

        def arrive(seconds: float) -> Effect[_Visitor, Never, object]:
            self._arrivals += 1
            request = Request(f"{name} ({self._arrivals})", claims)
            visitor = _Visitor(request, (*turn, self._arrivals))
            self._queue.append(visitor)
            self._queue.sort(key=lambda waiting: waiting.turn)
            self._serve(seconds)
            return Succeed(visitor)

        acquire = Then(Now(), arrive)
        return Bracket(
            acquire, self._leave, lambda visitor: Then(self._turn(visitor), lambda _: effect)
        )

    def _turn(self, visitor: _Visitor) -> Effect[None, Never, object]:
        """Wait for one's turn; a rate may bring it though nobody goes."""

        def register(tell: Callable[[], None]) -> None:
            visitor.tell = tell
            if visitor.admitted:
                visitor.told()

        def look(seconds: float) -> Effect[Any, Never, object]:
            if visitor.admitted:
                return Succeed(None)
            told = Wait(register)
            if self._look_again is None:
                return Then(told, lambda _: again)
            left = max(self._look_again - timedelta(seconds=seconds), _TICK)
            limited = Timeout(told, left.total_seconds())
            return Then(OrElse(limited, lambda _: Then(Now(), self._served)), lambda _: again)

        again: Effect[Any, Never, object] = Then(Now(), look)
        return again

    def _leave(self, visitor: _Visitor, _: object) -> Effect[None, Never, object]:
        def leave(seconds: float) -> Effect[None, Never, object]:
            if visitor.admitted:
                self._usage = ended(self._usage, visitor.request.step)
            else:
                self._queue.remove(visitor)
            return self._served(seconds)

        return Then(Now(), leave)

    def _served(self, seconds: float) -> Effect[None, Never, object]:
        self._serve(seconds)
        return Succeed(None)

    def _serve(self, seconds: float) -> None:
        """Let those start whose turn it is, and tell the others if there is a moment to wait for."""
        now = timedelta(seconds=seconds)
        admission = admit(self.limits, self._usage, (v.request for v in self._queue), now)
        starting = set(admission.start)
        chosen = [visitor for visitor in self._queue if visitor.request.step in starting]
        self._queue = [visitor for visitor in self._queue if visitor.request.step not in starting]
        for visitor in chosen:
            self._usage = started(self.limits, self._usage, visitor.request, now)
            visitor.admitted = True
        changed = admission.look_again not in {None, self._look_again}
        self._look_again = admission.look_again
        for visitor in [*chosen, *(self._queue if changed else ())]:
            visitor.told()


def desk(limits: Limits) -> Effect[Desk, Never, object]:
    """Make a desk; a new one in each run.

    >>> from anabranch import par_all, run, succeed
    >>> def both(desk):
    ...     gpu = (Claim("gpu"),)
    ...     return par_all([desk.holding(name, gpu, succeed(name)) for name in ("a", "b")])
    >>> run(desk(Limits(pools={"gpu": 1})).and_then(both))
    <Success: ['a', 'b']>
    """
    return from_function(lambda _: Success(Desk(limits)))
