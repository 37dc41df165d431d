"""`simulate`: an effect under many schedules, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from anabranch.effects import Effect
from anabranch.testing.simulation.chance import Chance, Source, replayed
from anabranch.testing.simulation.running import (
    Check,
    Simulation,
    effect_scenario,
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
