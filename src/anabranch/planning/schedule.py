"""When each command will run, and how long all of them will take, at a given limit.

The schedule is what execution does: a command may start once its dependencies are done, and of
those that may, the one with the longest chain behind it goes first (critical path first; Hu,
1961). Who of them starts is decided by `anabranch.planning.admission`, here as in execution.

Graham (1969) proved that such a schedule on `m` slots, when slots are all that is shared, takes
no longer than `work / m + (1 - 1 / m) * critical path`. No schedule whatever takes less than its
`lower_bound`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import accumulate

from attrs import evolve, frozen

from anabranch.planning.critical_path import TICK, longest_after, longest_before
from anabranch.planning.graph import CommandGraph
from anabranch.planning.planned_run import planned_run
from anabranch.planning.resources import Claim, Limits, merged_claims

_NO_LIMITS = Limits()


@frozen(kw_only=True)
class Schedule:
    """When each command starts and ends, from the beginning of the run, by index.

    Attributes:
        makespan: when the last command ends.
        lower_bound: no schedule under the same limits can be shorter.
        peak: the most commands that run at the same time.
    """

    starts: tuple[timedelta, ...]
    ends: tuple[timedelta, ...]
    makespan: timedelta
    lower_bound: timedelta
    peak: int


@frozen(kw_only=True)
class Forecast:
    """How long everything takes when so many commands may run at once."""

    slots: int
    makespan: timedelta
    lower_bound: timedelta


def most_urgent_first(graph: CommandGraph, durations: Sequence[timedelta]) -> tuple[int, ...]:
    """Order the commands by the longest chain that begins with each, longest first.

    Equally urgent commands keep the order in which they were given.
    """
    ticks = _ticks(graph, durations)
    behind = longest_after(graph.order, graph.waits, ticks)
    return tuple(sorted(range(len(durations)), key=lambda n: (-behind[n] - ticks[n], n)))


def plan_schedule(
    graph: CommandGraph,
    durations: Sequence[timedelta],
    *,
    limits: Limits = _NO_LIMITS,
    claims: Sequence[Sequence[Claim]] = (),
) -> Schedule:
    """Foresee an execution.

    Args:
        graph: what must wait for what.
        durations: how long each command takes.
        limits: what there is to share.
        claims: what each command asks of it; empty if none asks for anything. Every claim must
            be one that can be met (`claim_problems`).

    >>> graph = CommandGraph.from_edges(3, [(0, 2)])
    >>> schedule = plan_schedule(graph, [timedelta(seconds=1)] * 3, limits=Limits(slots=1))
    >>> [start.seconds for start in schedule.starts], schedule.makespan.seconds
    ([0, 1, 2], 3)
    """
    ticks = _ticks(graph, durations)
    merged = [merged_claims(wanted) for wanted in claims]
    urgency = most_urgent_first(graph, durations)
    starts, peak = planned_run(graph, ticks, urgency, limits, merged)
    ends = [start + length for start, length in zip(starts, ticks, strict=False)]
    return Schedule(
        starts=tuple(start * TICK for start in starts),
        ends=tuple(end * TICK for end in ends),
        makespan=max(ends, default=0) * TICK,
        lower_bound=_lower_bound(graph, ticks, limits, merged),
        peak=peak,
    )


def forecast_slots(
    graph: CommandGraph,
    durations: Sequence[timedelta],
    *,
    limits: Limits = _NO_LIMITS,
    claims: Sequence[Sequence[Claim]] = (),
    most: int = 64,
) -> tuple[Forecast, ...]:
    """Foresee the makespan with one slot, two slots, and so on.

    Returns:
        One forecast for each number of slots, ascending, up to the first at which a slot stays
        unused all the time, after which nothing changes any more; at most `most`.
    """
    found: list[Forecast] = []
    for slots in range(1, most + 1):
        limited = evolve(limits, slots=slots)
        schedule = plan_schedule(graph, durations, limits=limited, claims=claims)
        if found and schedule.peak < slots:
            break
        forecast = Forecast(
            slots=slots, makespan=schedule.makespan, lower_bound=schedule.lower_bound
        )
        found.append(forecast)
    return tuple(found)


def enough_slots(forecasts: Sequence[Forecast], *, within: float = 0.05) -> int:
    """Find the fewest slots that come within a share of the best makespan: more do not pay.

    >>> made = [(1, 10), (2, 5), (3, 5)]
    >>> seconds = timedelta(seconds=1)
    >>> enough_slots([Forecast(slots=s, makespan=m * seconds, lower_bound=seconds) for s, m in made])
    2
    """
    best = min(forecast.makespan for forecast in forecasts)
    good = (forecast.slots for forecast in forecasts if forecast.makespan <= best * (1 + within))
    return min(good)


def _ticks(graph: CommandGraph, durations: Sequence[timedelta]) -> list[int]:
    if len(durations) != len(graph.names):
        raise ValueError(f"{len(durations)} durations for {len(graph.names)} commands")
    return [duration // TICK for duration in durations] + [0] * graph.joins


def _lower_bound(
    graph: CommandGraph,
    ticks: Sequence[int],
    limits: Limits,
    claims: Sequence[Sequence[Claim]],
) -> timedelta:
    before = longest_before(graph.order, graph.waits, ticks)
    bounds = [sum(pair) for pair in zip(before, ticks, strict=True)]
    if limits.slots is not None:
        bounds += _slot_bounds(ticks, limits.slots)
    bounds += _resource_bounds(ticks, limits, claims)
    return max(bounds, default=0) * TICK


def _slot_bounds(ticks: Sequence[int], slots: int) -> Iterator[int]:
    """Yield the work of each slot; then what the slot that runs most of the longest must do.

    Of the `k * slots + 1` longest commands some slot runs `k + 1`, at best the shortest of them.
    """
    yield -(-sum(ticks) // slots)
    longest = [0, *accumulate(sorted(ticks, reverse=True))]
    for count, top in enumerate(range(slots + 1, len(longest), slots), start=1):
        yield longest[top] - longest[top - count - 1]


def _resource_bounds(
    ticks: Sequence[int], limits: Limits, claims: Sequence[Sequence[Claim]]
) -> Iterator[int]:
    """Yield how long each pool and lock is in use, and how long each rate needs for its starts."""
    used: Counter[str] = Counter()
    turns: Counter[str] = Counter()
    for length, wanted in zip(ticks, claims, strict=False):
        for claim in wanted:
            if claim.name in limits.rates:
                turns[claim.name] += claim.amount
            else:
                used[claim.name] += length * limits.units(claim)
    for name, units in used.items():
        yield -(-units // limits.capacity(name))
    for name, count in turns.items():
        rate = limits.rates[name]
        yield (-(-count // rate.starts) - 1) * (rate.per // TICK)
