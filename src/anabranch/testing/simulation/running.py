"""One simulated run, what can be said about it, and the search for one that is not well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeAlias

from attrs import frozen
from returns.result import Result

from anabranch.effects import Effect
from anabranch.interpreters.strands import Watcher
from anabranch.interpreters.virtual import Cancelled, DeadlockError, LivelockError, Virtual
from anabranch.testing.simulation.chance import Chance, Source, replayed, seeded
from anabranch.testing.simulation.exploring import Asleep, Search
from anabranch.testing.simulation.shrinking import Choices, shrink, trimmed
from anabranch.testing.simulation.timeline import Labels, Timeline
from anabranch.values import Problem, UsageError


@frozen(kw_only=True)
class Run:
    """A simulated run that came to its end.

    Attributes:
        result: how the effect ended; `None` if it raised.
        raised: what it raised, if it did.
        env: the environment of this run, to look into.
        elapsed: how much virtual time passed, in seconds.
        choices: every choice that was made.
    """

    result: Result[Any, Any] | None
    raised: BaseException | None
    env: Any
    elapsed: float
    choices: Choices


Check: TypeAlias = Callable[[Run], object]
"""Says whether a run is well: by an assertion, by `False`, or by what is wrong in words."""


@frozen
class Fault:
    """What is wrong with a run. Two are alike if they are of one kind.

    Attributes:
        kind: the name of the check, or the class of the exception.
        message: what is wrong, in words.
    """

    kind: str
    message: str


class Scenario(Protocol):
    """Something that runs from beginning to end by chance alone, anew each time."""

    def __call__(self, chance: Chance, watcher: Watcher | None) -> Run:
        """Run it, with somebody looking on.

        Raises:
            DeadlockError, LivelockError: it did not come to an end.
        """
        ...


class SimulationFailed(AssertionError):  # noqa: N818 (what it is: the text says the rest)
    """A run was found that is not well. Its text shows the smallest one.

    Attributes:
        seed: of the run that was found; `None` if its choices did not come from a seed.
        choices: of the smallest run that fails in the same way: `replay=` makes it again.
        fault: what is wrong with that.
        timeline: of that.
        run: that run; `None` if it did not come to an end.
    """

    def __init__(
        self,
        fault: Fault,
        *,
        seed: int | None,
        choices: Choices,
        timeline: Timeline,
        run: Run | None,
    ) -> None:
        super().__init__(_story(fault, seed, choices, timeline))
        self.seed = seed
        self.choices = choices
        self.fault = fault
        self.timeline = timeline
        self.run = run
        self.__cause__ = None if run is None else run.raised  # its traceback says where


def _story(fault: Fault, seed: int | None, choices: Choices, timeline: Timeline) -> str:
    found = "" if seed is None else f"found with seed={seed}; "
    return "\n".join(
        [
            f"{fault.kind}: {fault.message}",
            "",
            f"{found}the smallest choices: replay={list(choices)}",
            "",
            timeline.ending(),
        ]
    )


@frozen(kw_only=True)
class Simulation:
    """What a search found: nothing wrong.

    Attributes:
        runs: how many there were.
        longest: the most choices that one of them made.
        repeated: how many more were given up, since they only repeated another one.
    """

    runs: int
    longest: int
    repeated: int = 0


def effect_scenario(
    effect: Effect[Any, Any, Any], env: Callable[[Chance], Any], *, max_turns: int
) -> Scenario:
    """The scenario of one effect in an environment that is made anew for each run."""

    def scenario(chance: Chance, watcher: Watcher | None) -> Run:
        made = env(chance)
        driver = virtual(chance, watcher, max_turns=max_turns)
        root = driver.start(effect, made)
        driver.run()
        result, raised = None, None
        try:
            result = root.result()
        except (Exception, Cancelled) as error:  # noqa: BLE001 (told in the run)
            raised = error
        return Run(
            result=result,
            raised=raised,
            env=made,
            elapsed=driver.now(),
            choices=tuple(chance.taken),
        )

    return scenario


def virtual(chance: Chance, watcher: Watcher | None, *, max_turns: int) -> Virtual:
    """A driver whose choices are left to chance; a timeline sees labels, too."""
    if not isinstance(watcher, Timeline):
        return Virtual(chance.turn, watcher=watcher, max_turns=max_turns)
    driver = Virtual(chance.turn, tracer=Labels(watcher), watcher=watcher, max_turns=max_turns)
    watcher.clock = driver.now
    return driver


def examine(
    scenario: Scenario, checks: Iterable[Check], chance: Chance, watcher: Watcher | None = None
) -> tuple[Run | None, Fault | None]:
    """Run a scenario once: the run, if it came to an end, and the first thing that is wrong."""
    try:
        run = scenario(chance, watcher)
    except (DeadlockError, LivelockError) as error:
        return None, Fault(type(error).__name__, str(error))
    if run.raised is not None:
        return run, Fault(type(run.raised).__name__, _in_words(run.raised))
    for check in checks:
        if (fault := _checked(check, run)) is not None:
            return run, fault
    return run, None


def _in_words(error: BaseException) -> str:
    """What an exception says; of a group, what those in it are and say."""
    inside: Sequence[BaseException] = getattr(error, "exceptions", ())
    each = "; ".join(f"{type(one).__name__}: {_in_words(one)}" for one in inside)
    return ": ".join(part for part in (str(error), each) if part) or "it was raised"


def _checked(check: Check, run: Run) -> Fault | None:
    name = getattr(check, "__name__", type(check).__name__)
    name = "check" if name == "<lambda>" else name
    try:
        answer = check(run)
    except AssertionError as error:
        return Fault(name, str(error).partition("\n")[0] or "the assertion does not hold")
    except Exception as error:  # noqa: BLE001  (a check that cannot cope with a run has found it)
        return Fault(f"{name} raised {type(error).__name__}", str(error))
    if answer is False:
        return Fault(name, "it does not hold")
    return Fault(name, answer) if isinstance(answer, str) and answer else None


def search(scenario: Scenario, checks: Sequence[Check], *, seed: int, schedules: int) -> Simulation:
    """Run a scenario under the schedules of one seed after the other.

    Raises:
        SimulationFailed: one of the runs is not well.
    """
    __tracebackhide__ = True
    longest = 0
    for number in range(seed, seed + schedules):
        chance = Chance(seeded(number))
        _, fault = examine(scenario, checks, chance)
        if fault is not None:
            raise smallest(scenario, checks, fault, chance.taken, seed=number)
        longest = max(longest, len(chance.taken))
    return Simulation(runs=schedules, longest=longest)


def exhaust(
    scenario: Scenario, checks: Sequence[Check], *, declared: bool, at_most: int
) -> Simulation:
    """Run a scenario under every schedule that differs from the others.

    Raises:
        SimulationFailed: one of the runs is not well.
        UsageError: there are more than `at_most`.
    """
    __tracebackhide__ = True
    search, runs, repeated, longest = Search(declared=declared), 0, 0, 0
    going = True
    while going:
        if runs + repeated >= at_most:
            raise too_many(at_most)
        chance = search.begin()
        try:
            _, fault = examine(scenario, checks, chance, search)
            runs += 1
        except Asleep:
            fault = None
            repeated += 1
        if fault is not None:
            raise smallest(scenario, checks, fault, chance.taken, seed=None)
        longest = max(longest, len(chance.taken))
        going = search.onward()
    return Simulation(runs=runs, longest=longest, repeated=repeated)


def too_many(at_most: int) -> UsageError:
    """What to say when there are too many schedules to make them all."""
    return UsageError(
        Problem(
            code="too-many-schedules",
            message="the effect has more schedules than may be run",
            value=str(at_most),
            hint="make it smaller, allow more with `at_most`, or sample them with `simulate`",
        )
    )


def follow(scenario: Scenario, checks: Sequence[Check], source: Source) -> Simulation:
    """Run a scenario once, with choices that are given.

    Raises:
        SimulationFailed: the run is not well.
    """
    __tracebackhide__ = True
    chance = Chance(source)
    _, fault = examine(scenario, checks, chance)
    if fault is not None:
        raise shown(scenario, checks, chance.taken, seed=None)
    return Simulation(runs=1, longest=len(chance.taken))


def smallest(
    scenario: Scenario,
    checks: Sequence[Check],
    fault: Fault,
    choices: Sequence[int],
    *,
    seed: int | None,
) -> SimulationFailed:
    """The smallest run that fails like one that was found."""

    def attempt(tried: Choices) -> Choices | None:
        chance = Chance(replayed(tried))
        _, found = examine(scenario, checks, chance)
        return tuple(chance.taken) if found is not None and found.kind == fault.kind else None

    return shown(scenario, checks, shrink(choices, attempt), seed=seed)


def shown(
    scenario: Scenario, checks: Sequence[Check], choices: Sequence[int], *, seed: int | None
) -> SimulationFailed:
    """The failure of the run with these choices, with its timeline."""
    timeline = Timeline()
    run, fault = examine(scenario, checks, Chance(replayed(choices)), timeline)
    if fault is None:
        fault = Fault("not repeatable", "the same choices went well: something else varies")
    return SimulationFailed(fault, seed=seed, choices=trimmed(choices), timeline=timeline, run=run)
