"""The simulated world: one state that outlives the processes of anabranch that work in it.

A `World` describes it: the user's repository, what commands do, what may go wrong. `begin` makes
one `Living` world for one run of the simulation. `enter` gives the environment of one process of
anabranch, whose every call is a moment at which that process may be killed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeAlias, cast, final

from attrs import field, frozen
from returns.result import Failure, Result, Success

from anabranch.environment import (
    CommandError,
    CommandFault,
    CommandOutput,
    CommandRunner,
    Environment,
    FileError,
    Invocation,
    Journal,
    Merges,
    OutputListener,
    Worktrees,
)
from anabranch.interpreters.strands import virtual_halt
from anabranch.testing.git import GitFault, MemoryRepository, Operation, memory_repository
from anabranch.testing.simulation.chance import Chance
from anabranch.testing.simulation.footprints import touched
from anabranch.testing.simulation.journals import Disk, Kept, SimulatedJournal
from anabranch.testing.simulation.processes import Script, SimulatedCommands

EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""When every simulated world begins."""


@frozen(kw_only=True)
class Kill:
    """How a process of anabranch dies, with what it had under way.

    Attributes:
        kept: what is left of the journal that was not synced; `None` leaves it to chance.
        finished: whether its commands had done their work by then; `None` leaves it to chance.
    """

    kept: Kept | None = None
    finished: bool | None = None


Kills: TypeAlias = Mapping[int, Kill]
"""The moments at which a process is killed, by their numbers from 0, and how it dies there."""


@frozen(kw_only=True)
class Faults:
    """How likely it is that something goes wrong, each time that it could; from 0 to 1.

    Attributes:
        git: an operation of git meets a lock, a full disk, a branch that moved, or stops.
        journal: a write to the journal fails.
        commands: a process cannot be started.
        kills: the process of anabranch is killed, before or after it asks for something.
        most: how many faults there may be in one run, kills included.
    """

    git: float = 0
    journal: float = 0
    commands: float = 0
    kills: float = 0
    most: int = 2


@frozen(kw_only=True)
class World:
    """The description of a world.

    Attributes:
        files: what the user's repository holds, committed.
        uncommitted: what lies in the user's working tree besides.
        commands: what commands do, by pattern (`*` is any text) on their last argument; the
            first that fits. What none fits does nothing and succeeds.
        faults: what may go wrong.
        contained: whether the children that a process leaves behind end with it.

    >>> from anabranch.testing.simulation import Chance, Process
    >>> world = World(files={"items.json": "[1, 2]"}, commands={"make *": Process(takes=3)})
    >>> world.begin(Chance()).repository.files()
    {'items.json': b'[1, 2]'}
    """

    files: Mapping[str, str] = field(factory=dict[str, str])
    uncommitted: Mapping[str, str] = field(factory=dict[str, str])
    commands: Mapping[str, Script] = field(factory=dict[str, Script])
    faults: Faults = field(factory=Faults)
    contained: bool = True

    def begin(self, chance: Chance, *, kills: Kills | None = None) -> Living:
        """Bring it to life.

        Args:
            chance: decides everything that may come one way or another.
            kills: the moments at which a process of anabranch is killed, by their numbers;
                `None` leaves that to chance.
        """
        return Living(self, chance, kills)


@final
class Living:
    """A world, as it is now.

    Attributes:
        repository: the user's repository.
        disks: what the journals have on disk, by run.
        commands: the processes that run.
        files: what was written outside of working trees.
        calls: what was asked for: the port's method, and with what.
        moments: how many moments there were at which a process could be killed.
        witness: called at each of them.
        journals: every journal that was opened, by run; the last one is the one in use.
        broken: laws that were broken on the way.
        obstructed: whether git was made to refuse something, so that it could not be cleaned up.
        note: called with what is made to go wrong, for a timeline.
        clock: virtual time, in seconds.
    """

    def __init__(self, world: World, chance: Chance, kills: Kills | None = None) -> None:
        self.world = world
        self.chance = chance
        self.repository: MemoryRepository = memory_repository(
            world.files or None, faults=self._git_fault
        )
        for path, text in world.uncommitted.items():
            self.repository.home.write(path, text)
        self.commands = SimulatedCommands(
            scripts=world.commands,
            repository=self.repository,
            chance=chance,
            contained=world.contained,
        )
        self.disks: dict[str, Disk] = {}
        self.files: dict[str, bytes] = {}
        self.calls: list[tuple[str, Any]] = []
        self.journals: dict[str, list[SimulatedJournal]] = {}
        self.moments = 0
        self.witness: Callable[[Living], object] | None = None
        self.broken: list[str] = []
        self.obstructed = False
        self.note: Callable[[str], None] = lambda _: None
        self.clock: Callable[[], float] = lambda: 0.0
        self._user, self._seen = self._users(), self.repository.state
        self._kills = kills
        self._left = world.faults.most

    def enter(self, run: str) -> Environment:
        """The environment of one more process of anabranch, which works on a run."""
        disk = self.disks.setdefault(run, Disk())
        disk.sync()
        opened = self.journals.setdefault(run, [])
        journal = SimulatedJournal(
            disk,
            now=lambda: EPOCH + timedelta(seconds=self.clock()),
            chance=self.chance,
            process=len(opened) + 1,
            failing=lambda: self._rate(self.world.faults.journal),
            failed=lambda: self._went_wrong("the journal cannot be written"),
        )
        opened.append(journal)
        git = self.repository.run(run)
        return Environment(
            worktrees=cast("Worktrees", _Port(self, run, "worktrees", git.worktrees)),
            commands=cast("CommandRunner", _Port(self, run, "commands", _Started(self))),
            merges=cast("Merges", _Port(self, run, "merges", git.merges)),
            files=cast("Any", _Port(self, run, "files", _Files(self))),
            journal=cast("Journal", _Port(self, run, "journal", journal)),
        )

    def killed(self, run: str) -> None:
        """A process of anabranch is dead: its commands end, what was not synced may be lost."""
        how = (self._kills or {}).get(self.moments - 1, Kill())
        self.commands.killed(run, finished=how.finished)
        self.disks[run].crash(self.chance, how.kept)

    def look(self, name: str) -> None:
        """Look whether something touched what is the user's, and may not."""
        if self.repository.state is self._seen:
            return
        self._seen, user = self.repository.state, self._users()
        if user != self._user and name != "merges.deliver":
            self.broken.append(f"{name} touched the user's checkout")
        self._user = user

    def _users(self) -> tuple[Any, ...]:
        state = self.repository.state
        home = state.checkouts[self.repository.home.path]
        others = {ref: oid for ref, oid in state.refs.items() if "/anabranch/" not in ref}
        return home, others

    async def moment(self) -> None:
        """Be killed here, if that is to be."""
        if not self._left:
            return
        self.moments += 1
        if self._kills is None:
            dies = self.chance.rarely(2, self._rate(self.world.faults.kills))
        else:
            dies = self.chance.given(int(self.moments - 1 in self._kills))
            if self.witness is not None:
                self.witness(self)
        if dies:
            self._left -= 1
            await virtual_halt()

    def command_fault(self) -> bool:
        """Whether a process cannot be started."""
        fails = bool(self.chance.rarely(2, self._rate(self.world.faults.commands)))
        if fails:
            self._went_wrong("no process can be started")
        return fails

    def _git_fault(self, operation: Operation) -> GitFault | None:
        kinds = list(GitFault)
        kind = self.chance.rarely(1 + len(kinds), self._rate(self.world.faults.git))
        if not kind:
            return None
        self.obstructed = True
        self._went_wrong(f"git, {operation.method} {operation.name}: {kinds[kind - 1].value}")
        return kinds[kind - 1]

    def _rate(self, rate: float) -> float:
        return rate if self._left and self._kills is None else 0.0

    def _went_wrong(self, what: str) -> None:
        self._left -= 1
        self.note(what)


@final
class _Port:
    """A port, each call of which is a moment to be killed before it and one after it."""

    def __init__(self, world: Living, run: str, name: str, inner: object) -> None:
        self._world, self._run, self._name, self._inner = world, run, name, inner

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        return partial(self._call, method)

    async def _call(self, method: str, *arguments: Any, **options: Any) -> Any:
        world, name = self._world, f"{self._name}.{method}"
        if world.chance.touched is not None:
            for resource, write in touched(world.repository.state, self._run, name, arguments):
                world.chance.touch(resource, write=write)
        await world.moment()
        world.calls.append((name, arguments))
        answer = await getattr(self._inner, method)(*arguments, **options)
        world.look(name)
        await world.moment()
        return answer


@frozen
class _Started:
    """Commands, some of which cannot be started."""

    world: Living

    async def run(
        self, invocation: Invocation, listener: OutputListener | None = None
    ) -> Result[CommandOutput, CommandError]:
        if self.world.command_fault():
            fault, message = CommandFault.NOT_STARTED, "no more processes"
            return Failure(CommandError(fault=fault, invocation=invocation, message=message))
        return await self.world.commands.run(invocation, listener)


@frozen
class _Files:
    """Whole files, in working trees and elsewhere."""

    world: Living

    async def read(self, path: str) -> Result[bytes, FileError]:
        found = self._in_tree(path)
        if found is not None:
            tree, rest = found
            data = tree.files.get(rest)
        else:
            data = self.world.files.get(path)
        if data is None:
            return Failure(FileError(path=path, message="no such file"))
        return Success(data)

    async def write(self, path: str, data: bytes) -> Result[None, FileError]:
        found = self._in_tree(path)
        if found is None:
            self.world.files[path] = data
        else:
            tree, rest = found
            tree.write(rest, data)
        return Success(None)

    def _in_tree(self, path: str) -> tuple[Any, str] | None:
        repository = self.world.repository
        for root in repository.state.checkouts:
            if path.startswith(f"{root}/"):
                return repository.tree(root), path.removeprefix(f"{root}/")
        return None
