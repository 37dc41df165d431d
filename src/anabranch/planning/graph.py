"""The dependency graph of commands: what must wait for what, and what follows from that.

`analyze_dependencies` makes one from commands, `CommandGraph.from_accesses` from what each of
them touches, `CommandGraph.from_edges` from explicit dependencies. A graph that was made has no
cycle; it says in which order things may happen and nothing of what they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from functools import cached_property
from itertools import chain

from attrs import evolve, frozen

from anabranch.planning.access import NOTHING, AccessSet
from anabranch.planning.antichain import largest_antichain
from anabranch.planning.checks import refuse
from anabranch.planning.command_access import shared_access_of
from anabranch.planning.commands import Command
from anabranch.planning.critical_path import CriticalPath, critical_path, longest_before
from anabranch.planning.digraph import nearest_order, reversed_edges, topological_order
from anabranch.planning.references import cycle_problems, name_problems, resolved
from anabranch.planning.scoreboard import Predecessors, waits_of
from anabranch.values import ConfigError, Location, Problem


@frozen(kw_only=True)
class CommandGraph:
    """Commands and what each must wait for, without cycles.

    Attributes:
        names: what the commands are called, in the order in which they were given.
        waits: for each command, ascending, the nodes that come directly before it. Nodes from
            `len(names)` on are joins: they do nothing, stand for all that they wait for, and
            keep the graph small where many commands wait for the same many others. Their own
            predecessors follow those of the commands.

    >>> graph = CommandGraph.from_edges(3, [(0, 1), (1, 2), (0, 2)])
    >>> graph.parallel_batches()
    [[0], [1], [2]]
    >>> graph.transitive_reduction().edges
    ((0, 1), (1, 2))
    """

    names: tuple[str, ...]
    waits: Predecessors

    def __attrs_post_init__(self) -> None:
        """Refuse a graph that has a cycle, or that speaks of nodes it does not have."""
        count = len(self.waits)
        if self.joins < 0 or any(not 0 <= n < count for n in chain.from_iterable(self.waits)):
            raise ConfigError.of("bad-graph", "the graph speaks of commands that it does not have")
        if len(self.order) < count:
            raise ConfigError(*cycle_problems(self._labels, self.waits))

    @classmethod
    def from_accesses(
        cls, accesses: Sequence[AccessSet], *, names: Sequence[str] | None = None
    ) -> CommandGraph:
        """Order conflicting commands as they were given; see `anabranch.planning.scoreboard`.

        Takes time in proportion to the number of resources touched, times the depth of paths.
        """
        waits = waits_of(accesses, range(len(accesses)))
        return cls(names=_names(names, len(accesses)), waits=waits)

    @classmethod
    def from_edges(
        cls,
        count: int,
        edges: Iterable[tuple[int, int]],
        *,
        names: Sequence[str] | None = None,
    ) -> CommandGraph:
        """Take explicit dependencies: pairs of the index that comes before, and the one after.

        Raises:
            ConfigError: there are cycles; every one is named.
            IndexError: an edge speaks of an index that is not in `range(count)`.
        """
        waits: list[set[int]] = [set() for _ in range(count)]
        for before, after in edges:
            if not (0 <= before < count and 0 <= after < count):
                raise IndexError(f"edge ({before}, {after}) in a graph of {count} commands")
            waits[after].add(before)
        return cls(names=_names(names, count), waits=tuple(tuple(sorted(w)) for w in waits))

    @property
    def joins(self) -> int:
        """How many nodes of `waits` are joins and no commands."""
        return len(self.waits) - len(self.names)

    @property
    def _labels(self) -> tuple[str, ...]:
        return self.names + tuple(f"join {at}" for at in range(self.joins))

    @cached_property
    def followers(self) -> Predecessors:
        """For each node, joins included, the nodes that wait directly for it, ascending."""
        return tuple(map(tuple, reversed_edges(self.waits)))

    @cached_property
    def order(self) -> tuple[int, ...]:
        """All nodes, joins included, each after those it waits for."""
        if all(max(on) < node for node, on in enumerate(self.waits) if on):
            return tuple(range(len(self.waits)))
        return tuple(topological_order(self.followers, self.waits))

    @cached_property
    def dependencies(self) -> Predecessors:
        """For each command, ascending, the commands it waits for directly, joins dissolved.

        There may be quadratically many where `waits` has linearly many.
        """
        behind: dict[int, frozenset[int]] = {}
        for node in self.order:
            if node >= len(self.names):
                behind[node] = self._commands_among(self.waits[node], behind)
        return tuple(
            tuple(sorted(self._commands_among(nodes, behind)))
            for nodes in self.waits[: len(self.names)]
        )

    def _commands_among(
        self, nodes: Iterable[int], behind: dict[int, frozenset[int]]
    ) -> frozenset[int]:
        found: set[int] = set()
        for node in nodes:
            found |= {node} if node < len(self.names) else behind[node]
        return frozenset(found)

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Every direct dependency as a pair of before and after, sorted, joins dissolved."""
        pairs = ((b, after) for after, waits in enumerate(self.dependencies) for b in waits)
        return tuple(sorted(pairs))

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """For each command, how many commands the longest chain before it has."""
        count = len(self.names)
        ones = [1] * count + [0] * self.joins
        return tuple(longest_before(self.order, self.waits, ones)[:count])

    def parallel_batches(self) -> list[list[int]]:
        """Group the commands by level: each batch needs only the batches before it.

        This is for reading and for runners that wait for a whole batch. Execution starts a
        command the moment that its own dependencies are done.
        """
        batches: list[list[int]] = [[] for _ in range(max(self.levels, default=-1) + 1)]
        for command, level in enumerate(self.levels):
            batches[level].append(command)
        return batches

    @cached_property
    def width(self) -> int:
        """The most commands that could ever run at the same time, whatever each one takes.

        Costs one search of the graph for each chain by which the first guess was too high.
        """
        return largest_antichain(self.order, self.followers, self.waits, len(self.names))

    def critical_path(self, durations: Sequence[timedelta]) -> CriticalPath:
        """Find the longest chain when each command takes its given time, and everyone's slack.

        Raises:
            ValueError: there is not one duration for each command.
        """
        if len(durations) != len(self.names):
            raise ValueError(f"{len(durations)} durations for {len(self.names)} commands")
        return critical_path(self.order, self.waits, durations)

    def transitive_reduction(self) -> CommandGraph:
        """Drop every dependency that follows from others; nothing else changes.

        The answer is the only smallest graph with the same order (Aho, Garey, Ullman, 1972).
        """
        position = {node: at for at, node in enumerate(self.order)}
        dependencies = self.dependencies
        kept = (
            tuple(sorted(set(waits) - _behind(waits, dependencies, position)))
            for waits in dependencies
        )
        return CommandGraph(names=self.names, waits=tuple(kept))


def _names(names: Sequence[str] | None, count: int) -> tuple[str, ...]:
    found = tuple(map(str, range(count)) if names is None else names)
    if len(found) != count:
        raise ValueError(f"{len(found)} names for {count} commands")
    return found


def _behind(waits: Sequence[int], waits_of_all: Predecessors, position: dict[int, int]) -> set[int]:
    """Collect what lies before these nodes, as far back as the first of them."""
    horizon = min((position[node] for node in waits), default=0)
    found: set[int] = set()
    queue = list(waits)
    for node in queue:
        for before in waits_of_all[node]:
            if before not in found and position[before] >= horizon:
                found.add(before)
                queue.append(before)
    return found


def analyze_dependencies(commands: Sequence[Command]) -> CommandGraph:
    """Find out which commands must wait for which.

    Two commands conflict if one writes what the other reads or writes; they keep the order in
    which they are given, unless `depends_on` says otherwise. What is not known of a command
    counts as touching everything: a false dependency is acceptable, a missing one never.

    Raises:
        ConfigError: every duplicate name, unknown name, self-loop, duplicate edge, cycle and bad
            resource, all at once.

    >>> graph = analyze_dependencies([Command("echo $A"), Command("B=1"), Command("C=2")])
    >>> graph.parallel_batches()
    [[0], [1, 2]]
    """
    names = [str(at) if c.name is None else c.name for at, c in enumerate(commands)]
    depends_on = [command.depends_on for command in commands]
    explicit = resolved(names, depends_on)
    problems = name_problems(names, depends_on, _place)
    problems += cycle_problems(names, explicit)
    accesses = list(_accesses(commands, problems))
    refuse(problems)
    sequence = nearest_order(reversed_edges(explicit), explicit)
    implied = waits_of(accesses, sequence)
    waits = (tuple(sorted({*i, *e})) for i, e in zip(implied, explicit, strict=False))
    return CommandGraph(names=tuple(names), waits=(*waits, *implied[len(commands) :]))


def _accesses(commands: Sequence[Command], problems: list[Problem]) -> Iterator[AccessSet]:
    for at, command in enumerate(commands):
        try:
            yield shared_access_of(command)
        except ConfigError as error:
            where = Location(path=_place(at))
            problems += [evolve(problem, where=where) for problem in error.problems]
            yield NOTHING


def _place(at: int) -> str:
    return f"commands[{at}]"
