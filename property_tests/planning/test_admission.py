from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from anabranch.planning.admission import Request, Usage, admit, ended, may_start, started
from anabranch.planning.resources import Claim, Limits, merged_claims
from anabranch.testing.strategies.graphs import claims_within, resource_limits


@frozen(kw_only=True)
class Job:
    arrives: timedelta
    takes: timedelta
    claims: tuple[Claim, ...]


@frozen(kw_only=True)
class Story:
    """What happened: for each job its start, and what was taken after each decision."""

    starts: tuple[timedelta | None, ...]
    usages: tuple[tuple[timedelta, Usage], ...]
    idle: tuple[tuple[timedelta, tuple[str, ...]], ...]


def simulate(limits: Limits, jobs: Sequence[Job]) -> Story:
    """Let jobs, sorted by arrival, come, start when admitted, and end."""
    usage, now = Usage(), timedelta()
    starts: dict[int, timedelta] = {}
    usages: list[tuple[timedelta, Usage]] = []
    idle: list[tuple[timedelta, tuple[str, ...]]] = []
    moments = {job.arrives for job in jobs}
    while moments:
        now = min(moments)
        moments.discard(now)
        for at, start in starts.items():
            if start + jobs[at].takes <= now:
                usage = ended(usage, str(at))
        queue = [
            Request(str(at), job.claims)
            for at, job in enumerate(jobs)
            if job.arrives <= now and at not in starts
        ]
        admission = admit(limits, usage, queue, now)
        for request in queue:
            if request.step in admission.start:
                usage = started(limits, usage, request, now)
                starts[int(request.step)] = now
                moments.add(now + jobs[int(request.step)].takes)
        if admission.look_again is not None:
            assert admission.look_again > now
            moments.add(admission.look_again)
        usages.append((now, usage))
        if not usage.running:
            idle.append((now, tuple(admission.blocked)))
    return Story(
        starts=tuple(starts.get(at) for at in range(len(jobs))),
        usages=tuple(usages),
        idle=tuple(idle),
    )


@st.composite
def jobs_under(draw: st.DrawFn, limits: Limits) -> list[Job]:
    seconds = st.integers(0, 6).map(lambda s: timedelta(seconds=s))
    length = st.integers(1, 5).map(lambda s: timedelta(seconds=s))
    job = st.builds(Job, arrives=seconds, takes=length, claims=claims_within(limits))
    return sorted(draw(st.lists(job, max_size=6)), key=lambda j: j.arrives)


@st.composite
def stories(draw: st.DrawFn, *, slots: bool = True) -> tuple[Limits, list[Job]]:
    limits = draw(resource_limits(slots=slots))
    return limits, draw(jobs_under(limits))


@given(stories())
def test_what_runs_never_exceeds_slots_capacities_rates_and_locks(
    given_story: tuple[Limits, list[Job]],
) -> None:
    limits, jobs = given_story
    story = simulate(limits, jobs)
    for now, usage in story.usages:
        assert limits.slots is None or len(usage.running) <= limits.slots
        held = [claim for claims in usage.running.values() for claim in claims]
        for name, capacity in limits.pools.items():
            assert sum(claim.amount for claim in held if claim.name == name) <= capacity
        for name in ("db", "port"):
            holders = [claim.shared for claim in held if claim.name == name]
            assert all(holders) or len(holders) == 1
        for name, rate in limits.rates.items():
            recent = sum(
                claim.amount
                for job, start in zip(jobs, story.starts, strict=True)
                for claim in job.claims
                if claim.name == name and start is not None and now - rate.per < start <= now
            )
            assert recent <= rate.starts


@given(stories())
def test_every_step_starts_in_the_end(given_story: tuple[Limits, list[Job]]) -> None:
    limits, jobs = given_story
    assert None not in simulate(limits, jobs).starts


@given(stories(slots=False), st.data())
def test_without_slots_later_arrivals_never_change_when_a_step_starts(
    given_story: tuple[Limits, list[Job]], data: st.DataObject
) -> None:
    limits, jobs = given_story
    first = data.draw(st.integers(0, len(jobs)))
    assert simulate(limits, jobs[:first]).starts == simulate(limits, jobs).starts[:first]


@given(stories())
def test_with_slots_the_first_in_the_queue_waits_for_earlier_steps_and_rates_only(
    given_story: tuple[Limits, list[Job]],
) -> None:
    limits, jobs = given_story
    story = simulate(limits, jobs)
    without_slots = evolve(limits, slots=None)
    for now, usage in story.usages:
        arrived = [at for at, job in enumerate(jobs) if job.arrives <= now]
        waiting = [at for at in arrived if (start := story.starts[at]) is None or start > now]
        if not waiting or len(usage.running) == limits.slots:
            continue
        first = waiting[0]
        earlier = {step: claims for step, claims in usage.running.items() if int(step) < first}
        alone = evolve(usage, running=earlier)
        assert not may_start(without_slots, alone, jobs[first].claims, now)


@given(stories())
def test_when_nothing_runs_only_rates_hold_the_first_step_back(
    given_story: tuple[Limits, list[Job]],
) -> None:
    limits, jobs = given_story
    for _, blocked in simulate(limits, jobs).idle:
        if blocked:
            claims = jobs[int(blocked[0])].claims
            assert {claim.name for claim in claims} & set(limits.rates)


@given(stories())
def test_a_step_without_claims_starts_whenever_a_slot_is_free(
    given_story: tuple[Limits, list[Job]],
) -> None:
    limits, jobs = given_story
    story = simulate(limits, jobs)
    for now, usage in story.usages:
        if limits.slots is None or len(usage.running) < limits.slots:
            for job, start in zip(jobs, story.starts, strict=True):
                if not job.claims and job.arrives <= now:
                    assert start is not None
                    assert start <= now


@given(stories())
def test_the_order_in_which_claims_are_written_does_not_matter(
    given_story: tuple[Limits, list[Job]],
) -> None:
    limits, jobs = given_story
    turned = [evolve(job, claims=job.claims[::-1]) for job in jobs]
    assert simulate(limits, jobs).starts == simulate(limits, turned).starts
    for job in jobs:
        assert merged_claims(job.claims) == merged_claims(merged_claims(job.claims))
