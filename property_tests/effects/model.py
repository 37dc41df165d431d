"""What a program means, with time and cancellation, without running anything.

`meaning(program, env, start, until)` tells the whole story of a program that starts at one
moment and is cancelled at another (`math.inf`: never): what it writes to its trace and when,
when it has ended and how. It is a plain recursion over the program. Nothing is concurrent here:
what happens at the same time as something else is a story of its own, and the loser of a race is
told again with the moment at which it lost.
"""

from __future__ import annotations

import heapq
import math
from datetime import timedelta
from functools import partial
from typing import Final, TypeAlias

from attrs import evolve
from returns.result import Failure, Success

from anabranch import CircuitOpen, ContextError, EmptyRace, FinaliserErrors, ReleaseError, TimedOut
from anabranch.planning.circuit_breaker import AttemptOutcome, BreakerState, MustWait
from anabranch.testing.strategies import effects as programs
from anabranch.testing.strategies.effects import (
    BREAKER,
    Again,
    Apply,
    Chain,
    Fails,
    Graph,
    Guarded,
    Hold,
    Limit,
    Parallel,
    Program,
    Raises,
    Repeated,
    Scoped,
    Step,
    Succeeds,
    mix,
    mix_all,
    value_of,
)
from property_tests.effects.graph_model import graph_story
from property_tests.effects.stories import (
    UNTIMED,
    AmbiguousError,
    Cancelled,
    Failed,
    Ok,
    Outcome,
    Raised,
    Story,
)


def meaning(  # noqa: C901, PLR0911 (a case each)
    program: Program, env: int, start: float, until: float
) -> Story:
    """The story of a program that starts at `start` and is cancelled at `until`."""
    match program:
        case Step():
            return _step(program, env, start, until)
        case Chain():
            return _chain(program, env, start, until)
        case Apply():
            return _apply(program, env, start, until)
        case programs.Sequence():
            return _sequence(program, env, start, until)
        case Hold():
            return _hold(program, env, start, until)
        case Limit():
            return _limit(program, env, start, until)
        case Again():
            return _again(program, env, start, until)
        case Repeated():
            return _repeated(program, env, start, until)
        case Parallel():
            return _parallel(program, env, start, until)
        case Graph(parts):
            return graph_story(
                program, lambda i, begins, ends: meaning(parts[i], env, begins, ends), start, until
            )
        case Scoped():
            return _scoped(program, env, start, until)
        case Guarded():
            return _guarded(program, env, start, until)


def _wait(seconds: float, start: float, until: float) -> Story:
    """A wait is cancelled if it has not ended by then; after that, at once."""
    if until in {start, start + seconds}:
        raise AmbiguousError
    if start + seconds > until:
        return Story(Cancelled(), max(start, until))
    return Story(Ok(0), start + seconds)


def _step(step: Step, env: int, start: float, until: float) -> Story:
    begun = Story(Ok(0), start, () if step.bare else ((start, f"{step.number} starts"),))
    waited = begun.then(lambda t: _wait(step.seconds, t, until)) if step.seconds else begun
    if waited.outcome == Cancelled():
        return waited
    match step.end:
        case Succeeds(value):
            outcome: Outcome = Ok(value + env)
        case Fails(error):
            outcome = Failed(error)
        case Raises():
            outcome = Raised(frozenset({step.number}))
    return waited.then(
        lambda t: Story(outcome, t, () if step.bare else ((t, f"{step.number} ends"),))
    )


def _chain(chain: Chain, env: int, start: float, until: float) -> Story:
    first = meaning(chain.first, env, start, until)
    match first.outcome, chain.kind:
        case Ok(left), "and_then" | "tap" | "zip":
            pass
        case Failed(error), "or_else":
            left = len(error)
        case _:
            return first
    second = first.then(lambda t: meaning(chain.second, env, t, until))
    match second.outcome:
        case Ok(right):
            return evolve(second, outcome=Ok(left if chain.kind == "tap" else mix(left, right)))
        case _:
            return second


def _apply(apply: Apply, env: int, start: float, until: float) -> Story:
    inner = meaning(apply.inner, env + (apply.kind == "local"), start, until)
    return evolve(inner, outcome=_applied(apply, inner.outcome))


def _applied(  # noqa: PLR0911 (a case each)
    apply: Apply, outcome: Outcome
) -> Outcome:
    match apply.kind, outcome:
        case "map", Ok(value):
            return Ok(mix(value, 1))
        case "map_error", Failed(error):
            return Failed(f"{error}!")
        case "recover", Failed(error):
            return Ok(len(error))
        case "ensure", Ok(value) if value % 2:
            return Failed("odd")
        case "settled", Ok(value):
            return Ok(value_of(Success(value)))
        case "settled", Failed(error):
            return Ok(value_of(Failure(error)))
        case "context", Failed(error):
            return Failed(str(ContextError(error, ("inner", "outer"))))
        case _:
            return outcome


def _sequence(sequence: programs.Sequence, env: int, start: float, until: float) -> Story:
    story, total = Story(Ok(0), start), 0
    for part in sequence.parts:
        story = story.then(partial(meaning, part, env, until=until))
        if not isinstance(story.outcome, Ok):
            break
        total = mix(total, story.outcome.value)
        story = evolve(story, outcome=Ok(total))
    return evolve(story, events=(*story.events, (UNTIMED, f"{sequence.number} is over")))


def _hold(hold: Hold, env: int, start: float, until: float) -> Story:
    held = _behind_a_shield(meaning(hold.acquire, env, start, math.inf), start, until)
    match held.outcome:
        case Ok(resource):
            used = held.then(lambda t: meaning(hold.use, env, t, until))
        case Cancelled() if isinstance(meaning(hold.acquire, env, start, math.inf).outcome, Ok):
            resource, used = 0, held
        case _:
            return held
    if isinstance(used.outcome, Ok):
        used = evolve(used, outcome=Ok(mix(resource, used.outcome.value)))
    released = used.then(lambda t: meaning(hold.release, env, t, math.inf))
    both = evolve(released, outcome=_both(used.outcome, released.outcome))
    return _behind_a_shield(both, used.ended, until)


def _behind_a_shield(story: Story, start: float, until: float) -> Story:
    """What waited from `start` behind a shield: afterwards, a cancellation is seen."""
    if until == story.ended:
        raise AmbiguousError
    late = start < story.ended and until < story.ended
    return evolve(story, outcome=Cancelled()) if late and not _raised(story) else story


def _raised(story: Story) -> bool:
    return isinstance(story.outcome, Raised)


def _both(use: Outcome, release: Outcome) -> Outcome:
    """How a bracket ends, when its use ended so and its release so."""
    match use, release:
        case Raised(one), Raised(two):
            return Raised(one | two)
        case _, Raised():
            return release
        case Ok(), Failed():
            return release
        case Failed(one), Failed(two):
            return Failed(str(ReleaseError(one, two)))
        case _:
            return use


def _scoped(scoped: Scoped, env: int, start: float, until: float) -> Story:
    used, releases = Story(Ok(0), start), list[Program]()
    for resource in scoped.resources:
        if not isinstance(used.outcome, Ok):
            break
        total, begins = used.outcome.value, used.ended
        had = used.then(lambda t: meaning(resource.first, env, t, math.inf))  # noqa: B023 (at once)
        if isinstance(had.outcome, Ok):
            releases.append(resource.second)
            had = evolve(had, outcome=Ok(mix(total, had.outcome.value)))
        used = _behind_a_shield(had, begins, until)
    if isinstance(used.outcome, Ok):
        total = used.outcome.value
        used = used.then(lambda t: meaning(scoped.use, env, t, until))
        if isinstance(used.outcome, Ok):
            used = evolve(used, outcome=Ok(mix(total, used.outcome.value)))
    closed = _closed(evolve(used, outcome=Ok(0)), releases[::-1], env)
    both = evolve(closed, outcome=_both(used.outcome, closed.outcome))
    return _behind_a_shield(both, used.ended, until)


def _closed(story: Story, releases: list[Program], env: int) -> Story:
    """All finalisers, whichever of them fail."""
    outcomes: list[Outcome] = []
    for release in releases:
        story = story.then(partial(meaning, release, env, until=math.inf))
        outcomes.append(story.outcome)
    raised = [outcome.steps for outcome in outcomes if isinstance(outcome, Raised)]
    errors = tuple(outcome.error for outcome in outcomes if isinstance(outcome, Failed))
    end: Outcome = Failed(str(FinaliserErrors(errors))) if errors else Ok(0)
    return evolve(story, outcome=Raised(frozenset[int]().union(*raised)) if raised else end)


def _guarded(guarded: Guarded, env: int, start: float, until: float) -> Story:
    story, total, state = Story(Ok(0), start), 0, BreakerState()
    for _ in range(guarded.times):
        decision = BREAKER.start(state, timedelta(seconds=story.ended))
        if isinstance(decision, MustWait):
            refused = str(CircuitOpen(decision.delay or timedelta()))
            total = mix(total, value_of(Failure(refused)))
        else:
            story = story.then(partial(meaning, guarded.inner, env, until=until))
            match story.outcome:
                case Ok(value):
                    total, how = mix(total, value_of(Success(value))), AttemptOutcome.SUCCESS
                case Failed(error):
                    total, how = mix(total, value_of(Failure(error))), AttemptOutcome.FAILURE
                case _:
                    return story
            now = timedelta(seconds=story.ended)
            state = BREAKER.end(decision.state, decision.ticket, how, now)
        if guarded.seconds:
            story = story.then(partial(_wait, guarded.seconds, until=until))
        if story.outcome == Cancelled():
            return story
    return evolve(story, outcome=Ok(total))


def _limit(limit: Limit, env: int, start: float, until: float) -> Story:
    own = start + limit.seconds
    story = meaning(limit.inner, env, start, min(own, until))
    if story.outcome == Cancelled() and own < until:
        if story.ended == until:
            raise AmbiguousError
        if story.ended < until:
            error = str(TimedOut(timedelta(seconds=limit.seconds)))
            return evolve(story, outcome=Failed(error))
    return story


def _again(again: Again, env: int, start: float, until: float) -> Story:
    story = Story(Failed(""), start)
    for number in range(1, again.attempts + 1):
        if number > 1:
            story = story.then(partial(_wait, again.seconds, until=until))
        if story.outcome == Cancelled():
            break
        story = story.then(partial(_attempt, again, number, env, until=until))
        if not isinstance(story.outcome, Failed):
            break
    return story


def _attempt(again: Again, number: int, env: int, start: float, until: float) -> Story:
    if number > again.failures:
        return meaning(again.inner, env, start, until)
    return Story(Failed(f"attempt {number}"), start)


def _repeated(repeated: Repeated, env: int, start: float, until: float) -> Story:
    run = partial(meaning, repeated.inner, env, until=until)
    wait = partial(_wait, repeated.seconds, until=until)
    story = run(start)
    for tell in [wait, run] * (repeated.times - 1):
        if isinstance(story.outcome, Ok):
            story = story.then(tell)
    return story


# --- several at once ---------------------------------------------------------------------------


def _parallel(parallel: Parallel, env: int, start: float, until: float) -> Story:
    stories = _pool(parallel, env, start, until)
    ended = max([start, *(story.ended for story in stories.values())])
    events = tuple(event for story in stories.values() for event in story.events)
    cancelled = len(stories) < len(parallel.parts) or _any(stories, Cancelled)
    stop = _stop(parallel, stories)
    if stop is not None:
        if stop[0] == start and len(parallel.parts) > 1:
            raise AmbiguousError
        stories = _pool(parallel, env, start, until, stop)
        ended = max(story.ended for story in stories.values())
        events = tuple(event for story in stories.values() for event in story.events)
        cancelled = False
    if ended == until:
        raise AmbiguousError
    if not _any(stories, Raised) and (cancelled or (ended > until and ended > start)):
        return Story(Cancelled(), ended, events)
    return Story(_result(parallel, stories, stop), ended, events)


def _any(stories: dict[int, Story], kind: type[Outcome]) -> bool:
    return any(isinstance(story.outcome, kind) for story in stories.values())


Stop: TypeAlias = tuple[float, int]
"""The moment at which one part stops all others, and its index."""


def _stop(parallel: Parallel, stories: dict[int, Story]) -> Stop | None:
    kinds = _STOPPING[parallel.kind]
    stops = [(s.ended, i) for i, s in stories.items() if isinstance(s.outcome, kinds)]
    return min(stops, default=None)


_STOPPING: Final[dict[programs.ParallelKind, tuple[type[Outcome], ...]]] = {
    "all": (),
    "settle": (),
    "try": (Failed, Raised),
    "fold": (Failed, Raised),
    "race": (Ok, Failed, Raised),
}


def _pool(
    parallel: Parallel, env: int, start: float, until: float, stop: Stop | None = None
) -> dict[int, Story]:
    """The stories of the parts that are begun, by index: each by the worker that is free first."""
    limit = len(parallel.parts) if parallel.kind == "race" else parallel.limit
    workers = [start] * (limit or len(parallel.parts))
    stories: dict[int, Story] = {}
    for index, part in enumerate(parallel.parts):
        if not workers or (stop is not None and (workers[0], index) > stop):
            break
        begins = heapq.heappop(workers)
        if begins == until:
            raise AmbiguousError
        if begins > max(start, until) and _any(stories, Cancelled):
            break
        ends = until if stop is None or index == stop[1] else min(stop[0], until)
        stories[index] = meaning(part, env, begins, ends)
        if stories[index].outcome != Cancelled():
            heapq.heappush(workers, stories[index].ended)
    return stories


def _result(parallel: Parallel, stories: dict[int, Story], stop: Stop | None) -> Outcome:
    outcomes = {index: story.outcome for index, story in stories.items()}
    raised = [outcome.steps for outcome in outcomes.values() if isinstance(outcome, Raised)]
    if raised:
        return Raised(frozenset[int]().union(*raised))
    if stop is not None:
        return outcomes[stop[1]]
    values = {i: o.value for i, o in outcomes.items() if isinstance(o, Ok)}
    errors = {i: o.error for i, o in outcomes.items() if isinstance(o, Failed)}
    match parallel.kind:
        case "race":
            return Failed(str(EmptyRace()))
        case "settle":
            return Ok(mix_all([_settled(outcomes[index]) for index in sorted(outcomes)]))
        case "fold":
            order = sorted(stories, key=lambda index: stories[index].ended)
            if len({stories[index].ended for index in order}) < len(order):
                raise AmbiguousError
            return Ok(mix_all([values[index] for index in order]))
        case "all" | "try":
            return Failed(f"{errors} {values}") if errors else Ok(mix_all(list(values.values())))


def _settled(outcome: Outcome) -> int:
    match outcome:
        case Ok(value):
            return value_of(Success(value))
        case Failed(error):
            return value_of(Failure(error))
        case _:
            raise AssertionError(outcome)
