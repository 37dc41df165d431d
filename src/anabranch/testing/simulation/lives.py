"""The lives of a run: from its beginning, through every time that it is killed, to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from attrs import define, field
from returns.result import Result

from anabranch.effects import Effect
from anabranch.interpreters.requests import RAISED
from anabranch.interpreters.strands import Strand, Watcher
from anabranch.interpreters.virtual import Cancelled, Virtual
from anabranch.lifecycle import RUN_TERMINAL, RunState
from anabranch.program import Identity, program
from anabranch.testing.simulation.chance import Chance
from anabranch.testing.simulation.running import Run, Scenario, virtual
from anabranch.testing.simulation.timeline import Timeline
from anabranch.testing.simulation.world import Kills, Living, World
from anabranch.values import RunStatus
from anabranch.workflow import Workflow

Work: TypeAlias = Callable[[Identity, RunState], Effect[Any, Any, Any] | None]
"""What a process does that takes up a run with such a past; `None` if nothing is left to do."""

LIVES: Final = 8
"""How often a run is taken up again before it is said to get nowhere."""


def work_of(what: Effect[Any, Any, Any] | Workflow) -> Work:
    """What to do for a workflow, or for an effect, which knows no past and is done again."""

    def take_up(identity: Identity, past: RunState) -> Effect[Any, Any, Any] | None:
        if not isinstance(what, Workflow):
            return what
        return None if past.status in RUN_TERMINAL else program(what, identity, past)

    return take_up


def world_scenario(
    work: Work,
    world: World,
    *,
    runs: Sequence[str],
    max_turns: int,
    kills: Kills | None = None,
    witness: Callable[[Living], object] | None = None,
) -> Scenario:
    """The scenario of runs in one world, each taken up again until it has come to its end.

    Args:
        work: what each of them does.
        world: where.
        runs: their ids; a process for each works at the same time.
        max_turns: after how many turns they are said to go on for ever.
        kills: the moments at which the process that reaches them is killed; `None` leaves
            that to chance.
        witness: called at each moment, if `kills` are given.
    """

    def scenario(chance: Chance, watcher: Watcher | None) -> Run:
        living = world.begin(chance, kills=kills)
        driver = virtual(chance, watcher, max_turns=max_turns)
        living.clock, living.witness = driver.now, witness
        if isinstance(watcher, Timeline):
            living.note = watcher.fault
        lives = _Lives(work, living, driver)
        for run in runs:
            lives.take_up(run)
        driver.run()
        while lives.go_on():
            driver.run()
        result, raised = lives.ending(runs[0])
        return Run(
            result=result,
            raised=raised,
            env=living,
            elapsed=driver.now(),
            choices=tuple(chance.taken),
        )

    return scenario


@define
class _Lives:
    """The processes that work on runs, one after the other for each."""

    work: Work
    world: Living
    driver: Virtual
    roots: dict[str, Strand] = field(factory=dict[str, Strand])
    count: dict[str, int] = field(factory=dict[str, int])

    def take_up(self, run: str) -> bool:
        """Start a process that works on a run, unless there is nothing left to do."""
        env = self.world.enter(run)
        life = self.count[run] = self.count.get(run, 0) + 1
        past = self.world.journals[run][-1].past
        effect = self.work(self._identity(run, past), past)
        if effect is None or life > LIVES:
            return False
        name = run if life == 1 else f"{run}({life})"
        self.roots[run] = self.driver.start(
            effect, env, name=name, on_halt=lambda: self.killed(run)
        )
        return True

    def _identity(self, run: str, past: RunState) -> Identity:
        """Which run it is, as the engine says it."""
        if past.created is not None:
            return Identity.of(past.created)
        base = self.world.repository.commit_at("HEAD")
        return Identity(run=run, base=base or "HEAD", target="main")

    def killed(self, run: str) -> None:
        """The process is dead; the next one takes the run up."""
        self.world.killed(run)
        self.take_up(run)

    def go_on(self) -> bool:
        """Take up what was interrupted, but by a defect; whether there was any."""
        interrupted = [
            run
            for run, journals in self.world.journals.items()
            if journals[-1].state.status is RunStatus.INTERRUPTED
            and self.roots[run].fiber.mode is not RAISED
        ]
        started = [self.take_up(run) for run in interrupted]
        return any(started)

    def ending(self, run: str) -> tuple[Result[Any, Any] | None, BaseException | None]:
        """How the last process of a run ended."""
        try:
            return self.roots[run].result(), None
        except (Exception, Cancelled) as error:  # noqa: BLE001 (told in the run)
            return None, error
