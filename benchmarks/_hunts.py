"""What the simulator looks at when it hunts for planted bugs: small effects, and workflows.

Each hunt is something to run and what has to hold of it, stated without looking at the code.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import define, field, frozen
from returns.result import Failure, Result, Success

from anabranch import (
    Do,
    Effect,
    RetryPolicy,
    bracket,
    do,
    from_async,
    from_function,
    par_all,
    par_all_limit,
    par_graph,
    par_settle,
    par_try_all,
    race,
    retry,
    sleep,
    timeout,
)
from anabranch.environment import Invocation
from anabranch.testing import virtual_sleep
from anabranch.testing.git import MemoryTree
from anabranch.testing.simulation import (
    Chance,
    Check,
    Faults,
    Kill,
    Living,
    Process,
    Run,
    Script,
    World,
    commits,
    laws,
)
from anabranch.testing.simulation.lives import work_of, world_scenario
from anabranch.testing.simulation.running import Scenario
from anabranch.values import RunStatus, StepStatus
from anabranch.workflow import Workflow, load_workflow


@define
class Ledger:
    """What jobs did, in order, and how many at once."""

    chance: Chance
    log: list[tuple[str, object]] = field(factory=list[tuple[str, object]])
    seconds: dict[object, float] = field(factory=dict[object, float])
    running: int = 0
    most: int = 0

    def said(self, what: str) -> list[object]:
        return [who for said, who in self.log if said == what]


Job = Effect[Any, str, Ledger]


class BoomError(Exception):
    pass


def job(name: object, *, fails: int = 0, raises: bool = False) -> Job:
    """Runs for a while; fails one time in `fails`, or raises."""

    async def work(ledger: Ledger) -> Result[Any, str]:
        ledger.log.append(("start", name))
        ledger.running += 1
        ledger.most = max(ledger.most, ledger.running)
        ledger.seconds[name] = ledger.chance.pick(4)
        try:
            await virtual_sleep(ledger.seconds[name])
        finally:
            ledger.running -= 1
            ledger.log.append(("end", name))
        if raises:
            raise BoomError
        if fails and ledger.chance.pick(fails) == 0:
            ledger.log.append(("fail", name))
            return Failure(f"{name}")
        return Success(name)

    return from_async(work)


def noting(what: str, name: object = None) -> Effect[None, Any, Ledger]:
    def note(ledger: Ledger) -> Result[None, Any]:
        ledger.log.append((what, name))
        return Success(None)

    return from_function(note)


def slow(what: str, name: object) -> Effect[object, Any, Ledger]:
    async def act(ledger: Ledger) -> Result[object, Any]:
        ledger.log.append((what, name))
        await virtual_sleep(1)
        ledger.log.append((f"{what}ed", name))
        return Success(name)

    return from_async(act)


# --- limits ------------------------------------------------------------------------------------

LIMITED: Final = par_all_limit([job(number) for number in range(6)], 2)


def limited_well(run: Run) -> None:
    assert Success(list(range(6))) == run.result
    starts = run.env.said("start")
    assert list(range(6)) == sorted(starts)
    assert run.env.most == 2
    assert _makespan([run.env.seconds[n] for n in starts], 2) == run.elapsed


def _makespan(durations: Iterable[float], limit: int) -> float:
    """When the last of these is done, if each starts as soon as there is room."""
    ends = [0.0] * limit
    for seconds in durations:
        heapq.heappush(ends, heapq.heappop(ends) + seconds)
    return max(ends)


# --- graphs ------------------------------------------------------------------------------------

NEEDS: Final[Mapping[str, str]] = {"c": "a", "d": "ab", "e": "c", "f": "de"}
GRAPH: Final = par_graph({name: job(name, fails=5) for name in "abcdef"}, NEEDS, limit=3)


def graph_well(run: Run) -> None:
    ledger, result = run.env, run.result
    done: set[object] = set()
    for what, name in ledger.log:
        if what == "start":
            assert set(NEEDS.get(str(name), "")) <= done, f"{name} started too early"
        if what == "end":
            done.add(name)
    failed = set(ledger.said("fail"))
    below = _downstream(failed)
    assert not below & set(ledger.said("start")), "a dependent ran after a failure"
    if isinstance(result, Failure):
        error = result.failure()
        assert failed == set(error.errors)
        assert below == set(error.skipped)
        assert set("abcdef") - below - failed == set(error.successes)
    else:
        assert not failed


FAN: Final = par_graph({name: job(name) for name in "abcd"}, {"b": "a", "c": "a", "d": "a"})


def fanned_out(run: Run) -> None:
    seconds = run.env.seconds
    assert run.elapsed == seconds["a"] + max(seconds[name] for name in "bcd")
    assert run.env.most == 3


def _downstream(names: set[object]) -> set[str]:
    reached = {name for name, needs in NEEDS.items() if set(needs) & names}
    return reached if reached <= names else (reached - names) | _downstream(names | reached)


# --- resources ---------------------------------------------------------------------------------


def held(name: int) -> Job:
    return bracket(slow("take", name), lambda _: slow("give", name), lambda _: job(name, fails=3))


RACE: Final = timeout(race([held(0), held(1)]), "3s").settled().tap(lambda _: noting("after"))


def released_once(run: Run) -> None:
    ledger = run.env
    assert sorted(ledger.said("take")) == sorted(ledger.said("giveed"))
    assert sorted(ledger.said("take")) == sorted(ledger.said("give"))
    assert ledger.log[-1] == ("after", None), "something went on after the end"


def stopped_at_once(run: Run) -> None:
    assert run.elapsed <= 5, f"it took {run.elapsed} s"
    first = run.env.said("end")[:1]
    if first and run.env.seconds[first[0]] == 0:
        assert "TimedOut" not in repr(run.result), "the winner did not end the race"


RACERS: Final[list[Effect[object, Any, Ledger]]] = [
    sleep(1),
    sleep(1).and_then(lambda _: par_all([slow("late", 0), slow("late", 1)])),
]
BETWEEN: Final = race(RACERS)


def nothing_begun_late(run: Run) -> None:
    assert run.elapsed == 1
    assert not run.env.said("lateed")


# --- failing fast, retries, defects --------------------------------------------------------------

FAST: Final = (
    par_try_all([job(n, fails=4) for n in range(5)], 2).settled().tap(lambda _: noting("after"))
)


def failed_fast(run: Run) -> None:
    log, failed = run.env.log, run.env.said("fail")
    assert log[-1] == ("after", None)
    assert run.env.running == 0
    if failed:
        assert run.result in [Success(Failure(str(name))) for name in failed]
        later = log[log.index(("fail", failed[0])) :]
        started = [name for what, name in later if what == "start"]
        assert len(started) <= 1, "others started that nobody was about to start"
    else:
        assert run.result == Success(Success(list(range(5))))


def _flaky() -> Effect[None, str, Ledger]:
    async def attempt(ledger: Ledger) -> Result[None, str]:
        ledger.log.append(("attempt", None))
        return Failure("busy") if ledger.chance.pick(2) else Success(None)

    return from_async(attempt)


RETRIED: Final = retry(_flaky(), RetryPolicy.fixed(1, max_attempts=3)).settled()


def retried_well(run: Run) -> None:
    attempts = len(run.env.said("attempt"))
    assert run.result is not None
    assert attempts <= 3
    assert run.elapsed == attempts - 1
    assert attempts == 3 or isinstance(run.result.unwrap(), Success)


@do
def broken() -> Do[str, Any, Ledger]:
    try:
        yield from par_all([job(0), job(1, raises=True), job(2)])
    except BoomError:
        return "boom"
    return "no boom"


def others_ended(run: Run) -> None:
    assert Success("boom") == run.result
    assert sorted(run.env.said("end")) == [0, 1, 2]


SETTLED: Final = par_settle([job(n, fails=3) for n in range(4)], 3)


def settled_well(run: Run) -> None:
    assert run.result is not None
    failed = run.env.said("fail")
    expected = [Failure(str(n)) if n in failed else Success(n) for n in range(4)]
    assert expected == run.result.unwrap()


# --- workflows -----------------------------------------------------------------------------------

TEXT: Final = """
name: hunted
mode: mapreduce
setup:
  - shell: prepare
map:
  input: items.json
  max_parallel: 2
  agent_template:
    - shell: edit
    - shell: check
      timeout: 20
reduce:
  - shell: summarise ${map.failed}
"""


def _edit(invocation: Invocation) -> Process:
    """Agents 0 and 2 write files of their own, agent 3 what agent 0 writes; each commits."""
    if "agent-3" in invocation.cwd:
        return Process(work=commits("agent-0.txt", "clash"), takes=(1, 4))
    return Process(work=commits(), takes=(1, 4))


def _check(invocation: Invocation) -> Process:
    return Process(exit_code=int("agent-1" in invocation.cwd))


def _summarise(invocation: Invocation) -> Process:
    """Commits what it was told."""
    told = invocation.env["__anabranch_0"]

    def work(tree: MemoryTree) -> None:
        tree.commit({"SUMMARY": told}, "Sum up")

    return Process(work=work)


WORKFLOW: Final = load_workflow(TEXT.encode(), file="hunted.yml")
COMMANDS: Final[Mapping[str, Script]] = {
    "edit": _edit,
    "check": _check,
    "summarise*": _summarise,
}
FILES: Final = {"items.json": "[0, 1, 2, 3]"}


def world(faults: Faults) -> World:
    return World(files=FILES, commands=COMMANDS, uncommitted={"notes": "mine"}, faults=faults)


def ended_as_it_should(run: Run) -> None:
    living = run.env
    assert isinstance(living, Living)
    state = living.journals["run"][-1].state
    expected = [StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.COMPLETED, StepStatus.FAILED]
    assert RunStatus.PARTIAL is state.status
    assert expected == [state.subjects[f"agent-{n}"].status for n in range(4)]
    files = living.repository.home.files
    assert {"agent-0.txt", "agent-2.txt"} <= files.keys()
    assert "agent-1.txt" not in files
    assert files["SUMMARY"] == b"2"


@frozen
class Hunt:
    """What runs, where, and what has to hold."""

    what: Effect[Any, Any, Any] | Workflow
    where: Any
    checks: tuple[Check, ...]
    runners: int = 1


HUNTS: Final = (
    Hunt(LIMITED, Ledger, (limited_well,)),
    Hunt(GRAPH, Ledger, (graph_well,)),
    Hunt(FAN, Ledger, (fanned_out,)),
    Hunt(RACE, Ledger, (released_once, stopped_at_once)),
    Hunt(BETWEEN, Ledger, (nothing_begun_late,)),
    Hunt(FAST, Ledger, (failed_fast,)),
    Hunt(RETRIED, Ledger, (retried_well,)),
    Hunt(broken(), Ledger, (others_ended,)),
    Hunt(SETTLED, Ledger, (settled_well,)),
    Hunt(WORKFLOW, world(Faults(kills=0.02, most=3)), (ended_as_it_should,)),
    Hunt(WORKFLOW, world(Faults(kills=0.004, most=2)), (ended_as_it_should,)),
    Hunt(WORKFLOW, world(Faults(journal=0.05, commands=0.05, git=0.02)), (), runners=2),
)


def killed_at(moment: int) -> tuple[Scenario, tuple[Check, ...]]:
    """The workflow, killed at one moment, after which nothing is left that was not synced."""
    scenario = world_scenario(
        work_of(WORKFLOW), world(Faults()), runs=["run"], max_turns=100_000, kills={moment: Kill()}
    )
    return scenario, (laws, ended_as_it_should)
