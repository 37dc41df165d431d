"""`simulate` and `explore`: an effect under many schedules, or all, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from anabranch.effects import Effect
from anabranch.testing.simulation.chance import Chance, Source, replayed
from anabranch.testing.simulation.laws import laws
from anabranch.testing.simulation.lives import work_of, world_scenario
from anabranch.testing.simulation.running import (
    Check,
    Scenario,
    Simulation,
    effect_scenario,
    exhaust,
    follow,
    search,
)
from anabranch.testing.simulation.world import World
from anabranch.values import Problem, UsageError
from anabranch.workflow import Workflow

SCHEDULES: Final = 100
"""How many schedules are tried where nothing else is said."""

MAX_TURNS: Final = 100_000
"""After how many turns a simulated run is said to go on for ever."""


def simulate(
    what: Effect[Any, Any, Any] | Workflow,
    where: World | Callable[[Chance], Any] = lambda _: None,
    *,
    check: Check | Sequence[Check] = (),
    schedules: int = SCHEDULES,
    seed: int = 0,
    replay: Sequence[int] | None = None,
    source: Source | None = None,
    runners: int = 1,
    max_turns: int = MAX_TURNS,
) -> Simulation:
    """Run something under many schedules, in virtual time; the first run that is not well fails.

    A run is not well if it raises, deadlocks, goes on for ever, or does not pass a check. In a
    `World`, it also has to keep the laws of runs and of git, and is taken up again whenever its
    process was killed.

    Args:
        what: an effect, or a workflow, which is run by the program that really runs it. What an
            effect shares between its parts belongs into the environment.
        where: a `World`; or what makes the environment, anew for each run, given its `Chance`.
        check: what has to hold of every `Run`.
        schedules: how many to try.
        seed: of the first one; the next ones have the next seeds.
        replay: the choices of one run, to make it again, as a failure prints them.
        source: where the choices of one run come from, such as `drawn(data)` of Hypothesis.
        runners: how many processes of anabranch work in the world at once, each on a run of
            its own: `run`, `run-2`, ….
        max_turns: after how many turns a run is said to go on for ever.

    Raises:
        SimulationFailed: with the seed, the smallest choices that fail in the same way, and a
            timeline.

    >>> from anabranch import par_all, sleep
    >>> simulate(par_all([sleep("1h"), sleep("1h")]), check=lambda run: run.elapsed == 3600).runs
    100
    """
    __tracebackhide__ = True
    scenario, checks = staged(what, where, check, runners=runners, max_turns=max_turns)
    if replay is not None:
        source = replayed(replay)
    if source is not None:
        return follow(scenario, checks, source)
    return search(scenario, checks, seed=seed, schedules=schedules)


def explore(
    what: Effect[Any, Any, Any] | Workflow,
    where: World | Callable[[Chance], Any] = lambda _: None,
    *,
    check: Check | Sequence[Check] = (),
    declared: bool | None = None,
    at_most: int = 10_000,
    replay: Sequence[int] | None = None,
    runners: int = 1,
    max_turns: int = MAX_TURNS,
) -> Simulation:
    """Run something small under every schedule, and with every answer of its `Chance`.

    Of schedules that differ only in the order of turns that touch nothing in common, one is run.
    An effect is not looked into: each of its turns counts as touching everything, unless
    everything that its parts share is `declared`.

    Args:
        what: an effect or a workflow, as for `simulate`.
        where: a world, or what makes the environment, as for `simulate`.
        check: what has to hold of every `Run`.
        declared: whether every part of the environment that is shared and changes says so with
            `Chance.touch` when it is read or written. What is not declared is not seen. A
            `World` declares everything, so for a workflow it is true unless said otherwise.
        at_most: how many runs there may be.
        replay: the choices of one run, to make only that again, as a failure prints them.
        runners: how many processes of anabranch work in the world at once.
        max_turns: after how many turns a run is said to go on for ever.

    Raises:
        SimulationFailed: one of the runs is not well; it shows the smallest.
        UsageError: there are more runs than `at_most`.

    >>> from anabranch import par_all, sleep
    >>> explore(par_all([sleep(1), sleep(1)])).runs
    4
    """
    __tracebackhide__ = True
    if declared is None:
        declared = isinstance(what, Workflow)
    scenario, checks = staged(what, where, check, runners=runners, max_turns=max_turns)
    if replay is not None:
        return follow(scenario, checks, replayed(replay))
    return exhaust(scenario, checks, declared=declared, at_most=at_most)


def staged(
    what: Effect[Any, Any, Any] | Workflow,
    where: World | Callable[[Chance], Any],
    check: Check | Sequence[Check],
    *,
    runners: int,
    max_turns: int,
) -> tuple[Scenario, tuple[Check, ...]]:
    """What runs, and what has to hold of it."""
    checks = (check,) if callable(check) else tuple(check)
    if isinstance(where, World):
        runs = ["run", *(f"run-{number}" for number in range(2, runners + 1))]
        scenario = world_scenario(work_of(what), where, runs=runs, max_turns=max_turns)
        return scenario, (laws, *checks)
    if isinstance(what, Workflow):
        raise UsageError(
            Problem(
                code="no-world",
                message="a workflow runs in a world",
                value=repr(where),
                hint="give it a `World`, such as `World(files=…, commands=…)`",
            )
        )
    return effect_scenario(what, where, max_turns=max_turns), checks
