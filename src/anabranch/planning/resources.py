"""Resources that steps hold while they run: what there is, and what a step asks for.

A *pool* has a capacity, and steps take amounts of it. A *rate* lets so many starts happen in any
window of a given length. A name that is declared as neither is a *lock*, held by one step alone
or by any number that share it. *Slots* say how many steps may run at all. Who may start when is
decided in `anabranch.planning.admission`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import groupby
from typing import Final

from attrs import field, frozen

from anabranch.planning.checks import at_least, out_of_range, refuse
from anabranch.values import Location, Problem, Severity, did_you_mean

_LOCK: Final = 2**40
"""The capacity that a lock has as a pool: one exclusive claim takes all, a shared one takes one."""


@frozen
class Claim:
    """What a step asks of one resource.

    Attributes:
        name: of a pool, a rate or a lock.
        amount: units of a pool, starts under a rate; a lock has no amounts.
        shared: hold the lock beside others that share it.
    """

    name: str
    amount: int = field(default=1, kw_only=True)
    shared: bool = field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse an amount of nothing."""
        refuse(at_least("amount", self.amount, 1))


@frozen(kw_only=True)
class RateLimit:
    """At most `starts` starts in any window of the length `per`, its end excluded."""

    starts: int
    per: timedelta

    def __attrs_post_init__(self) -> None:
        """Refuse a rate that never lets anything start, and one over no time."""
        refuse([*at_least("starts", self.starts, 1), *self._bad_window()])

    def _bad_window(self) -> Iterator[Problem]:
        if self.per <= timedelta():
            yield out_of_range("per", self.per, "a duration longer than nothing")


@frozen(kw_only=True)
class Limits:
    """What there is to share.

    Attributes:
        slots: how many steps may run at once; `None` is no limit.
        pools: the capacity of each pool.
        rates: the rate of each rate-limited resource.
    """

    slots: int | None = None
    pools: Mapping[str, int] = field(factory=dict[str, int], hash=False)
    rates: Mapping[str, RateLimit] = field(factory=dict[str, RateLimit], hash=False)

    def __attrs_post_init__(self) -> None:
        """Refuse limits of nothing, and a name that is both pool and rate."""
        refuse([*at_least("slots", self.slots, 1), *self._bad_pools()])

    def _bad_pools(self) -> Iterator[Problem]:
        for name, capacity in self.pools.items():
            yield from at_least(f"pools.{name}", capacity, 1)
            if name in self.rates:
                yield out_of_range(f"rates.{name}", name, "a name that no pool has")

    def capacity(self, name: str) -> int:
        """How many units there are, of a pool or of a lock."""
        return self.pools.get(name, _LOCK)

    def units(self, claim: Claim) -> int:
        """How many of them a claim takes."""
        if claim.name in self.pools:
            return claim.amount
        return 1 if claim.shared else _LOCK


def merged_claims(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Make one claim of several on the same resource: amounts add up, not sharing wins.

    Returns:
        The claims in the order of their names, which is the order to take them in.

    >>> merged_claims([Claim("gpu"), Claim("db", shared=True), Claim("gpu", amount=2)])
    (Claim(name='db', amount=1, shared=True), Claim(name='gpu', amount=3, shared=False))
    """
    ordered = sorted(claims, key=lambda claim: claim.name)
    if len(ordered) <= 1:
        return tuple(ordered)
    groups = [list(group) for _, group in groupby(ordered, key=lambda claim: claim.name)]
    return tuple(
        Claim(g[0].name, amount=sum(c.amount for c in g), shared=all(c.shared for c in g))
        for g in groups
    )


def claim_problems(limits: Limits, claims: Iterable[Claim], where: Location) -> list[Problem]:
    """Find claims that can never be met, or that ask for what such a resource does not have."""
    return [problem for claim in claims for problem in _claim_problems(limits, claim, where)]


def _claim_problems(limits: Limits, claim: Claim, where: Location) -> Iterator[Problem]:
    def problem(code: str, message: str, severity: Severity = Severity.ERROR) -> Problem:
        return Problem(
            code=code,
            message=message,
            where=where,
            value=f"{claim.name}: {claim.amount}" if claim.amount > 1 else claim.name,
            hint=did_you_mean(claim.name, declared),
            severity=severity,
        )

    rate = limits.rates.get(claim.name)
    declared = {*limits.pools, *limits.rates} - {claim.name}
    most = limits.pools.get(claim.name) if rate is None else rate.starts
    if most is None:
        if claim.amount > 1:
            yield problem("lock-amount", "only a pool or a rate has amounts, and none is declared")
        elif did_you_mean(claim.name, declared):
            yield problem("unknown-pool", "taken for a lock", Severity.WARNING)
    else:
        if claim.amount > most:
            yield problem("claim-too-large", f"more than there ever is, which is {most}")
        if claim.shared:
            yield problem("shared-claim", "only a lock can be shared")
