"""The attempts at one step: each holds its resources, and the last that failed is the end.

What an attempt wrote is looked at before its end is told. Only a command that failed is a matter
of another attempt: what it left that it should not have, or did not leave, is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from attrs import frozen
from returns.result import Failure

from anabranch.effects import Do, Effect, do, fail, now, sleep, succeed
from anabranch.effects.work import changes_in
from anabranch.environment import MapEnv
from anabranch.lifecycle import CommandStarted, Moved, Payload, Subject
from anabranch.planning import AccessSet, Retry, matches_any
from anabranch.planning.policies import UNCOUNTED
from anabranch.program.commands import carry_out
from anabranch.program.faults import fatal, note
from anabranch.program.past import next_attempt, way_back
from anabranch.program.places import Place, StepError, StepFailed
from anabranch.program.writes import check_writes
from anabranch.values import HostError, Masked, StepStatus
from anabranch.workflow import Step


@frozen(kw_only=True)
class Work:
    """A step, where it runs, and what was decided about it.

    Attributes:
        step: what to do.
        subject: what the journal calls it.
        shown: what it does, in one line.
        place: where.
        rank: of those that wait, lower goes first.
        allowed: what may have been changed once it is done; `None` is not looked at.
        before: what is told in the same breath as that it starts.
    """

    step: Step
    subject: str
    shown: Masked
    place: Place
    rank: int
    allowed: AccessSet | None
    before: Sequence[Payload] = ()

    @property
    def known(self) -> Subject | None:
        """What an earlier process told of it."""
        return self.place.past.get(self.subject)

    @property
    def max_attempts(self) -> int:
        """How often it may be started."""
        retry = self.step.retry
        return 1 if retry is None else (retry.max_attempts or UNCOUNTED)

    @property
    def uses(self) -> Mapping[str, int]:
        """How much of each pool it holds while it runs."""
        pools = self.place.desk.limits.pools
        return {claim.name: claim.amount for claim in self.step.resources if claim.name in pools}


@do
def attempt_step(work: Work) -> Do[None, StepError, MapEnv]:
    """Make attempts until one succeeds or the policy gives up."""
    began = yield from now()
    number, back = next_attempt(work.known), way_back(work.known, work.subject)
    made = yield from _held(work, number, [*work.before, *back]).settled()
    while isinstance(made, Failure):
        delay = yield from _delay(work, made.failure(), number, began)
        yield from _retrying(work, made.failure(), delay)
        number += 1
        queued = Moved(subject=work.subject, to=StepStatus.QUEUED)
        made = yield from _held(work, number, [queued]).settled()


@do
def _delay(
    work: Work, error: StepError, attempt: int, began: float
) -> Do[timedelta, StepError, object]:
    """How long to wait for another attempt; the failure itself if there is none."""
    retry, deadline = work.step.retry, work.place.deadline
    if isinstance(error, HostError) or retry is None or not _worth_another(work.step, error):
        return (yield from fail(error))
    moment = yield from now()
    seeded = retry.seeded(f"{retry.seed}/{work.subject}")
    decision = seeded.decide(attempt, timedelta(seconds=moment - began))
    if not isinstance(decision, Retry):
        return (yield from fail(error))
    if deadline is not None and moment + decision.delay.total_seconds() >= deadline:
        return (yield from fail(error))
    return decision.delay


def _worth_another(step: Step, error: StepFailed) -> bool:
    """Whether a command failed, in a way that another attempt may mend."""
    if error.ended is None:
        return False
    return not step.retry_on or matches_any(f"{error}\n{error.ended.tail}", step.retry_on)


@do
def _retrying(work: Work, error: StepError, delay: timedelta) -> Do[None, HostError, MapEnv]:
    name = work.subject
    yield from note(Moved(subject=name, to=StepStatus.RETRYING, message=str(error), delay=delay))
    yield from sleep(delay)


@do
def _held(work: Work, number: int, back: Sequence[Payload]) -> Do[None, StepError, MapEnv]:
    """One attempt, once all that it claims is there."""
    claims = work.step.resources
    if not claims:
        return (yield from _attempt(work, number, back))
    yield from note(*back)
    turn = (work.place.turn, work.rank)
    attempt = _attempt(work, number, ())
    return (yield from work.place.desk.holding(work.subject, claims, attempt, turn=turn))


@do
def _attempt(work: Work, number: int, back: Sequence[Payload]) -> Do[None, StepError, MapEnv]:
    subject, place = work.subject, work.place
    worker = place.worktree.name
    yield from note(
        *back,
        Moved(subject=subject, to=StepStatus.RUNNING, attempt=number, worker=worker),
        CommandStarted(subject=subject, command=work.shown, key=place.key_of(subject)),
    )
    check = yield from _check(work)
    limit = yield from _time_left(work)
    yield from carry_out(work.step, subject, place, limit, check)


@do
def _check(work: Work) -> Do[Effect[None, StepError, MapEnv], HostError, MapEnv]:
    """Look at the worktree before a step; what then tells whether it wrote what it may not."""
    if work.allowed is None:
        return succeed(None)
    tree = work.place.worktree
    before = yield from changes_in(tree).map_error(fatal)
    return check_writes(work.subject, tree, before, work.allowed)


@do
def _time_left(work: Work) -> Do[timedelta | None, StepFailed, object]:
    """The step's own limit, or what is left of the phase's, whichever is less."""
    place, limit = work.place, work.step.timeout
    if place.deadline is None:
        return limit
    left = timedelta(seconds=place.deadline - (yield from now()))
    if left <= timedelta():
        message = f"no time is left for it in `{place.phase}`"
        yield from fail(StepFailed(subject=work.subject, message=message, timed_out=True))
    return left if limit is None else min(left, limit)
