"""`simulate` and `explore`: an effect under many schedules, or all, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from anabranch.effects import Effect
from anabranch.testing.simulation.chance import Chance, Source, replayed
from anabranch.testing.simulation.running import (
    Check,
    Simulation,
    effect_scenario,
    exhaust,
    follow,
    search,
)

SCHEDULES: Final = 100
"""How many schedules are tried where nothing else is said."""

MAX_TURNS: Final = 100_000
"""After how many turns a simulated run is said to go on for ever."""


def simulate(
    effect: Effect[Any, Any, Any],
    env: Callable[[Chance], Any] = lambda _: None,
    *,
    check: Check | Sequence[Check] = (),
    schedules: int = SCHEDULES,
    seed: int = 0,
    replay: Sequence[int] | None = None,
    source: Source | None = None,
    max_turns: int = MAX_TURNS,
) -> Simulation:
    """Run an effect under many schedules, in virtual time; the first run that is not well fails.

    A run is not well if it raises, deadlocks, goes on for ever, or does not pass a check.

    Args:
        effect: what to run. What it shares between its parts belongs into the environment.
        env: makes the environment, anew for each run; it is given the run's `Chance`.
        check: what has to hold of every `Run`.
        schedules: how many to try.
        seed: of the first one; the next ones have the next seeds.
        replay: the choices of one run, to make it again, as a failure prints them.
        source: where the choices of one run come from, such as `drawn(data)` of Hypothesis.
        max_turns: after how many turns a run is said to go on for ever.

    Raises:
        SimulationFailed: with the seed, the smallest choices that fail in the same way, and a
            timeline.

    >>> from anabranch import par_all, sleep
    >>> simulate(par_all([sleep("1h"), sleep("1h")]), check=lambda run: run.elapsed == 3600).runs
    100
    """
    checks = (check,) if callable(check) else tuple(check)
    scenario = effect_scenario(effect, env, max_turns=max_turns)
    if replay is not None:
        source = replayed(replay)
    if source is not None:
        return follow(scenario, checks, source)
    return search(scenario, checks, seed=seed, schedules=schedules)


def explore(
    effect: Effect[Any, Any, Any],
    env: Callable[[Chance], Any] = lambda _: None,
    *,
    check: Check | Sequence[Check] = (),
    declared: bool = False,
    at_most: int = 10_000,
    max_turns: int = MAX_TURNS,
) -> Simulation:
    """Run a small effect under every schedule there is, and with every answer of its `Chance`.

    Of schedules that differ only in the order of turns that touch nothing in common, one is run.
    An effect is not looked into: each of its turns counts as touching everything, unless
    everything that its parts share is `declared`.

    Args:
        effect: what to run.
        env: makes the environment, anew for each run.
        check: what has to hold of every `Run`.
        declared: whether every part of the environment that is shared and changes says so with
            `Chance.touch` when it is read or written. What is not declared is not seen.
        at_most: how many runs there may be.
        max_turns: after how many turns a run is said to go on for ever.

    Raises:
        SimulationFailed: one of the runs is not well; it shows the smallest.
        UsageError: there are more runs than `at_most`.

    >>> from anabranch import par_all, sleep
    >>> explore(par_all([sleep(1), sleep(1)])).runs
    4
    """
    checks = (check,) if callable(check) else tuple(check)
    scenario = effect_scenario(effect, env, max_turns=max_turns)
    return exhaust(scenario, checks, declared=declared, at_most=at_most)
