"""The decision which of the waiting steps may start now.

`admit` is one walk along the waiting steps, first come first:

* a step starts if a slot is free and all its claims can be met, and takes them **all at once**;
* a step that cannot start **reserves** its claims: those behind it see them as taken.

Laws, each a property test:

1. *Never over-committed.* What runs never exceeds the slots, a capacity, a rate or a lock.
2. *No deadlock.* Nobody holds one thing while waiting for another, so no circle of waiting can
   close (Coffman, Elphick, Shoshani, 1971): if nothing runs, the first that waits starts, at the
   latest when its rates allow. A runner that must take things one by one takes them in the order
   of `merged_claims`, which is that of their names, and lets go of all if one is refused.
3. *No starvation.* What comes later never takes what an earlier step waits for: without a limit
   of slots, start times do not depend on later arrivals at all. Slots are not reserved, lest the
   machine stand idle; but a slot that becomes free is offered to the first in the queue first.
4. *No idleness.* A step whose claims nobody ahead shares starts as soon as a slot is free.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from attrs import evolve, field, frozen

from anabranch.planning.resources import Claim, Limits, merged_claims


@frozen(kw_only=True)
class Usage:
    """What is taken at one moment.

    Attributes:
        running: the claims of every step that runs.
        starts: for each rate the moments of its starts, ascending, since the run began; those
            older than its window may be missing.
    """

    running: Mapping[str, tuple[Claim, ...]] = field(factory=dict[str, tuple[Claim, ...]])
    starts: Mapping[str, tuple[timedelta, ...]] = field(factory=dict[str, tuple[timedelta, ...]])


@frozen
class Request:
    """A step that waits, and its claims."""

    step: str
    claims: tuple[Claim, ...] = ()


@frozen(kw_only=True)
class Admission:
    """Who starts now.

    Attributes:
        start: the steps that start, in the order of the queue.
        blocked: what each step looked at waits for; steps that were not looked at, because the
            last slot had gone, are not in it.
        look_again: when a rate lets another step start, if nothing ends before; `None` if no
            step waits for a rate.
    """

    start: tuple[str, ...] = ()
    blocked: Mapping[str, tuple[str, ...]] = field(factory=dict[str, tuple[str, ...]])
    look_again: timedelta | None = None


def admit(limits: Limits, usage: Usage, queue: Iterable[Request], now: timedelta) -> Admission:
    """Decide which waiting steps start now; the module's head states the laws.

    Args:
        limits: what there is to share.
        usage: what is taken.
        queue: who waits, first come first. It is read no further than slots are free.
        now: the moment, since the run began.

    >>> admit(Limits(slots=2), Usage(), [Request("a"), Request("b"), Request("c")], timedelta())
    Admission(start=('a', 'b'), blocked={}, look_again=None)
    """
    taken = _Taken(limits, usage, now)
    start: list[str] = []
    blocked: dict[str, tuple[str, ...]] = {}
    look_again: list[timedelta] = []
    requests = iter(queue)
    while limits.slots is None or len(usage.running) + len(start) < limits.slots:
        request = next(requests, None)
        if request is None:
            break
        claims = merged_claims(request.claims)
        lacking = tuple(c.name for c in claims if not taken.has_room_for(c))
        taken.take(claims)
        if lacking:
            blocked[request.step] = lacking
            look_again += taken.next_turns(claims)
        else:
            start.append(request.step)
            taken.note_starts(claims)
    return Admission(start=tuple(start), blocked=blocked, look_again=min(look_again, default=None))


def may_start(limits: Limits, usage: Usage, claims: Iterable[Claim], now: timedelta) -> bool:
    """Whether a step that nobody is ahead of may start now."""
    return admit(limits, usage, [Request("", tuple(claims))], now).start != ()


class _Taken:
    """What is taken or reserved, in the course of one walk."""

    def __init__(self, limits: Limits, usage: Usage, now: timedelta) -> None:
        self.limits = limits
        self.now = now
        self.recent = {
            name: [at for at in usage.starts.get(name, ()) if at > now - rate.per]
            for name, rate in limits.rates.items()
        }
        self.units: Counter[str] = Counter({n: len(at) for n, at in self.recent.items()})
        for claims in usage.running.values():
            held = (c for c in merged_claims(claims) if c.name not in limits.rates)
            self.take(held)

    def has_room_for(self, claim: Claim) -> bool:
        rate = self.limits.rates.get(claim.name)
        if rate is not None:
            return self.units[claim.name] + claim.amount <= rate.starts
        units = self.units[claim.name] + self.limits.units(claim)
        return units <= self.limits.capacity(claim.name)

    def take(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            rated = claim.name in self.limits.rates
            self.units[claim.name] += claim.amount if rated else self.limits.units(claim)

    def note_starts(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            if claim.name in self.recent:
                self.recent[claim.name] += [self.now] * claim.amount

    def next_turns(self, claims: Iterable[Claim]) -> Iterator[timedelta]:
        """Give the moments at which the rates among the claims have room, if it is not now."""
        for claim in claims:
            rate, recent = self.limits.rates.get(claim.name), self.recent.get(claim.name, [])
            if rate is not None:
                over = len(recent) + claim.amount - rate.starts
                if 0 < over <= len(recent):
                    yield recent[over - 1] + rate.per


def started(limits: Limits, usage: Usage, request: Request, now: timedelta) -> Usage:
    """Note that a step runs from now on."""
    starts = dict(usage.starts)
    for claim in merged_claims(request.claims):
        rate = limits.rates.get(claim.name)
        if rate is not None:
            recent = (at for at in starts.get(claim.name, ()) if at > now - rate.per)
            starts[claim.name] = (*recent, *[now] * claim.amount)
    return Usage(running={**usage.running, request.step: request.claims}, starts=starts)


def ended(usage: Usage, step: str) -> Usage:
    """Note that a step runs no more, however it ended."""
    running = {name: claims for name, claims in usage.running.items() if name != step}
    return evolve(usage, running=running)
