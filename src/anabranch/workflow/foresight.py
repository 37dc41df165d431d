"""What a plan foresees: how long its parts take, what makes them take so long, and what would help.

Durations are the estimates of the steps, else what earlier runs say; a step of which neither is
known counts as long as the median of the others of its list, or as one second. Agents are foreseen as alike and at work side by side, each
for as long as its steps take; what they share bounds the map phase from below.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final, TypeAlias

from attrs import frozen

from anabranch.planning import (
    CommandGraph,
    CriticalPath,
    Estimate,
    EstimateSource,
    Forecast,
    Limits,
    Schedule,
    enough_slots,
    estimate_durations,
    plan_schedule,
)
from anabranch.workflow.labels import label_of
from anabranch.workflow.model import Step, Workflow
from anabranch.workflow.ordering import order_of
from anabranch.workflow.plan import Plan

MOST: Final = 64
"""No more agents at once than this are foreseen."""

StepTimes: TypeAlias = Mapping[tuple[str, str], Sequence[timedelta]]
"""How long steps took, by phase (`setup`, `map`, `reduce`) and label (`label_of`)."""

_NO_TIMES: Final[StepTimes] = {}


@frozen(kw_only=True)
class PhaseForesight:
    """A list of steps, foreseen.

    Attributes:
        estimates: how long each step takes, and how that is known.
        path: the longest chain, and how much time the others have to spare.
        schedule: when each starts and ends under the limits of the workflow.
    """

    estimates: tuple[Estimate, ...]
    path: CriticalPath
    schedule: Schedule

    @property
    def known(self) -> bool:
        """Whether an author or a run said how long a step takes; all else is in proportion only."""
        return any(one.source is not EstimateSource.GUESS for one in self.estimates)


@frozen(kw_only=True)
class Foresight:
    """A plan, foreseen.

    Attributes:
        setup: its steps.
        agent: the steps of one agent.
        reduce: its steps.
        map: the map phase with 1, 2, … agents at once, until more change nothing; empty while
            nobody knows how many agents there are.
        enough: the fewest at once that come within a twentieth of the best; `None` likewise.
        makespan: of the whole run, with as many at once as the workflow allows; `None` likewise.
        lower_bound: no schedule whatever takes less; `None` likewise.
    """

    setup: PhaseForesight
    agent: PhaseForesight
    reduce: PhaseForesight
    map: tuple[Forecast, ...] = ()
    enough: int | None = None
    makespan: timedelta | None = None
    lower_bound: timedelta | None = None


def foresee(plan: Plan, times: StepTimes = _NO_TIMES) -> Foresight:
    """Foresee how long a plan takes.

    Args:
        plan: what will run.
        times: how long steps took in earlier runs, as `anabranch.lifecycle.step_durations` reads
            it from one; it counts for steps of which their author said nothing.

    >>> from anabranch.planning import plan_work_assignments
    >>> from anabranch.workflow import make_plan, map_phase, map_reduce, step
    >>> phase = map_phase("i.json", [step("make", estimate="10s")], max_parallel=2)
    >>> plan = make_plan(map_reduce("w", map=phase), plan_work_assignments(list("abcd")))
    >>> seen = foresee(plan)
    >>> [(at.slots, at.makespan.seconds) for at in seen.map], seen.enough, seen.makespan.seconds
    ([(1, 40), (2, 20), (3, 20), (4, 10)], 4, 20)
    """
    flow = plan.workflow
    setup, agent, reduce = (
        _phase(steps, flow.resources, {at: took for (of, at), took in times.items() if of == name})
        for name, steps in _lists(flow)
    )
    if plan.assignments is None:
        return Foresight(setup=setup, agent=agent, reduce=reduce)
    count = len(plan.assignments)
    forecasts = tuple(_forecasts(count, agent, flow.map.agent_template, flow.resources))
    around = setup.schedule.makespan + reduce.schedule.makespan
    bounds = setup.schedule.lower_bound + reduce.schedule.lower_bound
    allowed = forecasts[min(flow.map.max_parallel, len(forecasts)) - 1] if forecasts else None
    return Foresight(
        setup=setup,
        agent=agent,
        reduce=reduce,
        map=forecasts,
        enough=enough_slots(forecasts) if forecasts else None,
        makespan=around + (allowed.makespan if allowed else timedelta()),
        lower_bound=bounds + (allowed.lower_bound if allowed else timedelta()),
    )


def _lists(flow: Workflow) -> tuple[tuple[str, Sequence[Step]], ...]:
    return ("setup", flow.setup), ("map", flow.map.agent_template), ("reduce", flow.reduce)


def _phase(
    steps: Sequence[Step], limits: Limits, times: Mapping[str, Sequence[timedelta]]
) -> PhaseForesight:
    graph = order_of(steps)
    estimates = _estimates(graph, steps, times)
    durations = [estimate.duration for estimate in estimates]
    claims = [step.resources for step in steps]
    return PhaseForesight(
        estimates=estimates,
        path=graph.critical_path(durations),
        schedule=plan_schedule(graph, durations, limits=limits, claims=claims),
    )


def _estimates(
    graph: CommandGraph, steps: Sequence[Step], times: Mapping[str, Sequence[timedelta]]
) -> tuple[Estimate, ...]:
    pairs = list(zip(graph.names, steps, strict=True))
    given = {name: step.estimate for name, step in pairs if step.estimate is not None}
    history = {name: times.get(label_of(step), ()) for name, step in pairs}
    return estimate_durations(graph.names, given=given, history=history)


def _forecasts(
    count: int, agent: PhaseForesight, steps: Sequence[Step], limits: Limits
) -> Iterator[Forecast]:
    """Agents are alike: so many rounds of as many as run at once, or what they share takes longer."""
    each = agent.schedule.makespan
    shared = _shared(count, agent.estimates, steps, limits)
    for slots in range(1, min(count, MOST) + 1):
        bound = max(each, each * count / slots, shared)
        yield Forecast(
            slots=slots, makespan=max(each * -(-count // slots), shared), lower_bound=bound
        )


def _shared(
    count: int, estimates: Sequence[Estimate], steps: Sequence[Step], limits: Limits
) -> timedelta:
    """How long the scarcest resource is in use by all agents, or needs for all their starts."""
    used: Counter[str] = Counter()
    for estimate, step in zip(estimates, steps, strict=True):
        for claim in step.resources:
            rate = limits.rates.get(claim.name)
            ticks = estimate.duration // timedelta(microseconds=1)
            used[claim.name] += claim.amount if rate else ticks * limits.units(claim)
    times = [_time(name, count * units, limits) for name, units in used.items()]
    return max(times, default=timedelta())


def _time(name: str, units: int, limits: Limits) -> timedelta:
    rate = limits.rates.get(name)
    if rate is not None:
        return (-(-units // rate.starts) - 1) * rate.per
    return timedelta(microseconds=-(-units // limits.capacity(name)))
