"""Which programs are drawn.

Each wait of a program that `programs` makes lasts as long as no sum of the others, and async
leaves come after waits: no two things that have waited happen at the same moment, so the order
of everything is fixed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from typing import Any, Literal, cast, get_args

from attrs import evolve, fields
from hypothesis import strategies as st

from anabranch.testing.strategies.effects.nodes import (
    Again,
    Apply,
    ApplyKind,
    Chain,
    ChainKind,
    End,
    Fails,
    Graph,
    Guarded,
    Hold,
    Limit,
    Parallel,
    ParallelKind,
    Program,
    Raises,
    Repeated,
    Scoped,
    Sequence,
    Step,
    Succeeds,
)


def ends(*, defects: bool = True) -> st.SearchStrategy[End]:
    """How steps end: mostly with a value."""
    values = st.builds(Succeeds, st.integers(0, 9))
    errors = st.builds(Fails, st.sampled_from(["no", "never"]))
    return st.one_of(values, values, errors, *([st.just(Raises())] if defects else []))


PARALLEL: frozenset[ParallelKind | Literal["graph"]] = frozenset({*get_args(ParallelKind), "graph"})


def programs(
    *,
    parallel: Collection[ParallelKind | Literal["graph"]] = PARALLEL,
    defects: bool = True,
    waits: bool = True,
    timeouts: bool = True,
    bare: bool = True,
    max_steps: int = 10,
) -> st.SearchStrategy[Program]:
    """Programs over all combinators.

    Args:
        parallel: the ways in which parts may run at the same time.
        defects: whether steps may raise.
        waits: whether steps and delays take time.
        timeouts: whether there are limits of time.
        bare: whether steps may be nothing but an async leaf, of which a dry run knows nothing.
        max_steps: about how many steps at most.
    """
    how, waiting = ends(defects=defects), st.integers(1, 8) if waits else st.just(0)
    steps = st.builds(Step, how) | st.builds(Step, how, waiting, asynchronous=st.booleans())
    if bare:
        steps |= st.builds(Step, how, bare=st.just(value=True))

    def around(inner: st.SearchStrategy[Program]) -> st.SearchStrategy[Program]:
        return st.one_of(
            *_sequential(inner, waiting),
            *_parallel(inner, parallel),
            *([st.builds(Limit, inner, st.integers(1, 12))] if timeouts else []),
        )

    return st.recursive(steps, around, max_leaves=max_steps).map(distinct)


def _sequential(
    inner: st.SearchStrategy[Program], waiting: st.SearchStrategy[int]
) -> list[st.SearchStrategy[Program]]:
    attempts = st.integers(1, 3)
    resources = st.builds(partial(Chain, "and_then"), inner, inner)
    return [
        st.builds(Chain, st.sampled_from(get_args(ChainKind)), inner, inner),
        st.builds(Apply, st.sampled_from(get_args(ApplyKind)), inner),
        st.builds(Sequence, st.lists(inner, max_size=4).map(tuple)),
        st.builds(Hold, inner, inner, inner),
        st.builds(Again, inner, attempts, attempts, waiting),
        st.builds(Repeated, inner, attempts, waiting),
        st.builds(Guarded, inner, st.integers(1, 4), waiting),
        st.builds(Scoped, st.lists(resources, max_size=2).map(tuple), inner),
    ]


def _parallel(
    inner: st.SearchStrategy[Program], kinds: Collection[ParallelKind | Literal["graph"]]
) -> list[st.SearchStrategy[Program]]:
    parts = st.lists(inner, max_size=4).map(tuple)
    limits = st.none() | st.integers(1, 3)
    several = sorted(kind for kind in kinds if kind != "graph")
    found: list[st.SearchStrategy[Program]] = []
    if several:
        found.append(st.builds(Parallel, st.sampled_from(several), parts, limits))
    if "graph" in kinds:
        found.append(parts.flatmap(partial(_graphs, limits=limits)))
    return found


def _graphs(
    parts: tuple[Program, ...], limits: st.SearchStrategy[int | None]
) -> st.SearchStrategy[Program]:
    pairs = [(first, then) for then in range(len(parts)) for first in range(then)]
    edges = st.lists(st.sampled_from(pairs), unique=True, max_size=4) if pairs else st.just([])
    return st.builds(Graph, st.just(parts), edges.map(sorted).map(tuple), limits)


def distinct(program: Program) -> Program:
    """Number the steps, and make each wait last as long as no sum of the others.

    A wait of `n` becomes `n * 2048 + 2 ** k / 32` seconds with a `k` of its own, exact as a
    `float` and as a `timedelta`, for up to 16 waits. Limits of time last 1/64 s longer, so that
    they never end when something else does, however often that is repeated.
    """
    return _distinct(program, iter(range(1, 1 << 20)))


def _distinct(program: Program, numbers: Iterator[int]) -> Program:
    changes: dict[str, Any] = {}
    for each in fields(type(program)):
        value = getattr(program, each.name)
        if each.name == "number":
            changes["number"] = next(numbers)
        elif each.name == "seconds" and value:
            extra = isinstance(program, Limit) / 64
            changes["seconds"] = value * 2048 + 2.0 ** (next(numbers) % 16) / 32 + extra
        elif isinstance(value, tuple) and each.name != "edges":
            parts = cast("tuple[Program, ...]", value)
            changes[each.name] = tuple(_distinct(part, numbers) for part in parts)
        elif isinstance(value, Program):
            changes[each.name] = _distinct(value, numbers)
    return evolve(program, **changes)
