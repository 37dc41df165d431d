"""Hypothesis strategies for dependency graphs and what limits their execution."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from anabranch.planning.access import AccessSet
from anabranch.planning.commands import Command
from anabranch.planning.graph import CommandGraph
from anabranch.planning.resources import Claim, Limits, RateLimit
from anabranch.planning.step_graph import StepGraph, StepKind, StepNode

_VARIABLES = st.sampled_from(["A", "B", "C", "map", "map.results"])
_SEGMENTS = st.sampled_from(
    ["src", "SRC", "docs", "a.py", "b.py", "*.py", "**", "?", "é", "e\u0301"]
)
_PATHS = st.lists(_SEGMENTS, min_size=1, max_size=3).map("/".join)
_ODD_PATHS = st.sampled_from([".", "./src", "/etc/x", "../x", "src/../docs", "~/x", "src//a.py"])


def resource_texts() -> st.SearchStrategy[str]:
    """Resources as they are written: few names, so that they often overlap."""
    return st.one_of(
        _VARIABLES.map("var:{}".format),
        _PATHS.map("file:{}".format),
        _ODD_PATHS.map("file:{}".format),
        st.just("workspace"),
    )


def access_sets() -> st.SearchStrategy[AccessSet]:
    """What commands touch, up to three resources of each kind."""
    few = st.lists(resource_texts(), max_size=3)
    return st.builds(AccessSet.of, reads=few, writes=few)


def shell_texts() -> st.SearchStrategy[str]:
    """Shell commands, of which some can be understood without running them and some cannot."""
    return st.sampled_from(
        [
            "A=1",
            "B=2 C=3",
            'C="$A"',
            "B=${A:-none}",
            "echo $A",
            'echo "$B"',
            "echo hi > src/a.py",
            "printf '%s' \"$C\" >> docs/log",
            ': "${A:=1}"',
            "test -f src/a.py && B=1",
            '[ "$A" = 1 ] || B=2',
            "true",
            "make",
            "A=$(cat docs/log)",
            "for x in a b; do echo $x; done",
            'echo "${shell.output}"',
            "echo '{{ item.path }}'",
        ]
    )


@st.composite
def command_lists(draw: st.DrawFn, *, max_size: int = 6) -> list[Command]:
    """Commands that may depend on any others by name, without a cycle."""
    count = draw(st.integers(0, max_size))
    names = [f"c{at}" for at in range(count)]
    ranks = draw(st.permutations(names))
    return [draw(_command(name, ranks[: ranks.index(name)])) for name in names]


def _command(name: str, others: list[str]) -> st.SearchStrategy[Command]:
    before = st.lists(st.sampled_from(others), unique=True, max_size=2) if others else st.just([])
    declared = st.none() | st.frozensets(resource_texts(), max_size=2)
    return st.builds(
        Command,
        shell_texts(),
        name=st.just(name),
        reads=declared,
        writes=declared,
        captures=st.frozensets(st.sampled_from(["A", "B"]), max_size=1),
        depends_on=before.map(tuple),
        parallel_safe=st.booleans(),
    )


@st.composite
def acyclic_edges(draw: st.DrawFn, *, max_size: int = 10) -> tuple[int, list[tuple[int, int]]]:
    """Draw a number of nodes and edges between them, without a cycle, in no special order."""
    count = draw(st.integers(0, max_size))
    ranks = draw(st.permutations(range(count)))
    node = st.integers(0, max(count - 1, 0))
    pairs = draw(st.lists(st.tuples(node, node), max_size=3 * count))
    return count, [(ranks[min(a, b)], ranks[max(a, b)]) for a, b in pairs if a != b]


@st.composite
def command_graphs(draw: st.DrawFn, *, max_size: int = 10) -> CommandGraph:
    """Graphs with explicit dependencies."""
    count, edges = draw(acyclic_edges(max_size=max_size))
    return CommandGraph.from_edges(count, edges)


@st.composite
def resource_limits(draw: st.DrawFn, *, slots: bool = True) -> Limits:
    """Limits of slots (unless unwanted), two pools and two rates; other names are locks."""
    return Limits(
        slots=draw(st.none() | st.integers(1, 3)) if slots else None,
        pools={name: draw(st.integers(1, 4)) for name in ("gpu", "agent")},
        rates={
            name: RateLimit(
                starts=draw(st.integers(1, 3)), per=timedelta(seconds=draw(st.integers(1, 9)))
            )
            for name in ("api", "mail")
        },
    )


def claims_within(limits: Limits) -> st.SearchStrategy[tuple[Claim, ...]]:
    """Claims that can be met, if nobody else is there."""
    pools = [_amounts(name, most) for name, most in sorted(limits.pools.items())]
    rates = [_amounts(name, rate.starts) for name, rate in sorted(limits.rates.items())]
    locks = [st.builds(Claim, st.just(name), shared=st.booleans()) for name in ("db", "port")]
    one_each = st.one_of(*pools, *rates, *locks)
    return st.lists(one_each, max_size=3, unique_by=lambda claim: claim.name).map(tuple)


def _amounts(name: str, most: int) -> st.SearchStrategy[Claim]:
    return st.builds(Claim, st.just(name), amount=st.integers(1, most))


def durations_of(graph: CommandGraph) -> st.SearchStrategy[list[timedelta]]:
    """One duration for each command, of few values, nothing among them."""
    count = len(graph.names)
    length = st.integers(0, 9).map(lambda seconds: timedelta(seconds=seconds))
    return st.lists(length, min_size=count, max_size=count)


def step_graphs(*, max_size: int = 5) -> st.SearchStrategy[StepGraph]:
    """Graphs of steps with every kind of mistake in them, and some with none."""
    names = [f"s{at}" for at in range(max_size)]
    ends = st.none() | st.frozensets(st.sampled_from(names), max_size=2)
    return st.builds(
        StepGraph,
        steps=st.lists(_step(names), max_size=max_size).map(tuple),
        variables=st.frozensets(st.sampled_from("xyz"), max_size=1),
        entries=ends,
        results=ends,
        max_timeout=st.none() | st.just(timedelta(minutes=1)),
        limits=st.dictionaries(st.just("max_parallel"), st.integers(-1, 2)),
    )


def _step(names: list[str]) -> st.SearchStrategy[StepNode]:
    few = st.lists(st.sampled_from(names), max_size=2).map(tuple)
    variables = st.frozensets(st.sampled_from("xyz"), max_size=1)
    schemas = st.none() | st.sampled_from([{"type": "string"}, {"type": "null"}, {"enum": [1]}, {}])
    return st.builds(
        StepNode,
        name=st.sampled_from(names),
        kind=st.sampled_from(StepKind),
        depends_on=few,
        branches=st.just(()) | few,
        default=st.none() | st.sampled_from(names),
        uses=variables,
        sets=variables,
        takes=schemas,
        gives=schemas,
        bounded_retry=st.booleans(),
        timeout=st.none() | st.timedeltas(timedelta(), timedelta(minutes=2)),
        limits=st.dictionaries(st.just("max_parallel"), st.integers(-1, 2)),
        claims=st.lists(st.builds(Claim, st.just("db"), amount=st.integers(1, 2))).map(tuple),
    )
