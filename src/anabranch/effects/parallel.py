"""Several effects at once.

Every combinator here is one `Par` node with a schedule of its own (`schedules.py`).
`effects` may be any iterable, also an endless generator that something else stops: it is
pulled one at a time, as slots become free, and results are kept, not tasks. An effect
made from an iterator (which can be walked only once) can run only once, and says so;
from a list, or any other iterable, it can run again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Never, TypeVar, overload

from returns.result import Result

from anabranch.effects.core import Asks, Effect, Map, Par, Succeed, Then
from anabranch.effects.errors import EmptyRace, GraphError, ParallelError
from anabranch.effects.graphs import plan_graph
from anabranch.effects.schedules import All, Fold, Graph, Race, Settle, Try
from anabranch.values import UsageError

T = TypeVar("T")
E = TypeVar("E")
S = TypeVar("S")
Env = TypeVar("Env")
K = TypeVar("K")
A = TypeVar("A")
A1 = TypeVar("A1")
A2 = TypeVar("A2")
A3 = TypeVar("A3")
A4 = TypeVar("A4")
A5 = TypeVar("A5")
E1 = TypeVar("E1")
E2 = TypeVar("E2")
E3 = TypeVar("E3")
E4 = TypeVar("E4")
E5 = TypeVar("E5")


def par_all(effects: Iterable[Effect[T, E, Env]]) -> Effect[list[T], ParallelError[T, E], Env]:
    """Run all at once; every one runs to its end whatever the others do.

    Returns:
        All values in input order, or a `ParallelError` with all errors and all successes.

    >>> from anabranch import fail, par_all, run, succeed
    >>> run(par_all([succeed(1), succeed(2)]))
    <Success: [1, 2]>
    >>> print(run(par_all([succeed(1), fail("no")])).failure())
    1 of 2 effects failed
      [1] no
    """
    return Par(partial(All, _reusable(effects)), None)


def par_all_limit(
    effects: Iterable[Effect[T, E, Env]], limit: int
) -> Effect[list[T], ParallelError[T, E], Env]:
    """Like `par_all`, at most `limit` at a time, starting in input order, with no batches."""
    return Par(partial(All, _reusable(effects)), _at_least_one(limit))


def par_try_all(
    effects: Iterable[Effect[T, E, Env]], limit: int | None = None
) -> Effect[list[T], E, Env]:
    """Run all; the first failure cancels the others, waits for their clean-up, and is the result.

    Returns:
        All values in input order, or the first error.
    """
    return Par(partial(Try, _reusable(effects)), _at_least_one(limit))


def par_settle(
    effects: Iterable[Effect[T, E, Env]], limit: int | None = None
) -> Effect[list[Result[T, E]], Never, Env]:
    """Run all to their ends and never fail: one `Result` each, in input order."""
    return Par(partial(Settle, _reusable(effects)), _at_least_one(limit))


def par_fold(
    effects: Iterable[Effect[T, E, Env]], limit: int, initial: S, step: Callable[[S, T], S]
) -> Effect[S, E, Env]:
    """Fold the values as they complete, at most `limit` at a time; memory is bounded by `limit`.

    The order is that of completion. The first failure cancels the others and is the
    result; fold over `effect.settled()` to go on instead.

    >>> from anabranch import par_fold, run, succeed
    >>> run(par_fold((succeed(n) for n in range(101)), 16, 0, lambda total, n: total + n))
    <Success: 5050>
    """
    return Par(partial(Fold, _reusable(effects), initial, step), _at_least_one(limit))


def race(effects: Iterable[Effect[T, E, Env]]) -> Effect[T, E | EmptyRace, Env]:
    """The first to complete wins, either way; the others are cancelled and cleaned up first."""
    return Par(partial(Race, _reusable(effects)), None)


def par_traverse(
    items: Iterable[A], function: Callable[[A], Effect[T, E, Env]], limit: int | None = None
) -> Effect[list[T], ParallelError[T, E], Env]:
    """`par_all_limit` over the effects that `function` makes of the items."""
    effects = _Mapped(_reusable(items), function)
    return Par(partial(All, effects), _at_least_one(limit))


def traverse(
    items: Iterable[A], function: Callable[[A], Effect[T, E, Env]]
) -> Effect[list[T], E, Env]:
    """One after the other, in order; the first failure ends it.

    Returns:
        All values in input order.
    """
    source = _reusable(items)

    def start(_: object) -> Effect[list[T], E, Env]:
        rest, values = iter(source), list[T]()

        def step(_: object) -> Effect[list[T], E, Env]:
            for item in rest:
                return Then(Map(function(item), values.append), step)
            return Succeed(values)

        return step(None)

    return Then(Succeed(None), start)


def par_graph(
    effects: Mapping[K, Effect[T, E, Env]],
    dependencies: Mapping[K, Iterable[K]],
    *,
    limit: int | None = None,
    priority: Mapping[K, float] | None = None,
) -> Effect[dict[K, T], GraphError[K, T, E], Env]:
    """Run a graph: each effect starts the moment its dependencies are done.

    Args:
        effects: what to run, by key.
        dependencies: for each key, the keys that come first; a key may be left out.
        limit: at most so many at a time.
        priority: larger starts first among those that may start. By default it is the
            number of effects on the longest way to the end: critical path first.

    Returns:
        The values by key, or a `GraphError` with errors, successes and what was skipped.

    Raises:
        UsageError: an unknown key or a cycle, each of them named.

    >>> from anabranch import par_graph, run, succeed
    >>> run(par_graph({"a": succeed(1), "b": succeed(2)}, {"b": ["a"]}))
    <Success: {'a': 1, 'b': 2}>
    """
    plan = plan_graph(effects, dependencies, priority)
    build = partial(Graph, dict(effects), plan.dependents, plan.missing, plan.ranks)
    return Par(build, _at_least_one(limit))


@overload
def zip_par(
    first: Effect[A1, Never, Env], second: Effect[A2, Never, Env], /
) -> Effect[tuple[A1, A2], Never, Env]: ...
@overload
def zip_par(
    first: Effect[A1, E1, Env], second: Effect[A2, E2, Env], /
) -> Effect[tuple[A1, A2], E1 | E2, Env]: ...
@overload
def zip_par(
    first: Effect[A1, E1, Env], second: Effect[A2, E2, Env], third: Effect[A3, E3, Env], /
) -> Effect[tuple[A1, A2, A3], E1 | E2 | E3, Env]: ...
@overload
def zip_par(
    first: Effect[A1, E1, Env],
    second: Effect[A2, E2, Env],
    third: Effect[A3, E3, Env],
    fourth: Effect[A4, E4, Env],
    /,
) -> Effect[tuple[A1, A2, A3, A4], E1 | E2 | E3 | E4, Env]: ...
@overload
def zip_par(
    first: Effect[A1, E1, Env],
    second: Effect[A2, E2, Env],
    third: Effect[A3, E3, Env],
    fourth: Effect[A4, E4, Env],
    fifth: Effect[A5, E5, Env],
    /,
) -> Effect[tuple[A1, A2, A3, A4, A5], E1 | E2 | E3 | E4 | E5, Env]: ...
def zip_par(*effects: Effect[Any, Any, Any]) -> Effect[Any, Any, Any]:
    """Run two to five different effects at once; their values as a tuple.

    The first failure cancels the others and is the result.

    >>> from anabranch import run, succeed, zip_par
    >>> run(zip_par(succeed(1), succeed("two")))
    <Success: (1, 'two')>
    """
    return Map(Par(partial(Try, effects), None), tuple)


def _at_least_one(limit: int | None) -> int | None:
    if limit is not None and (not _whole(limit) or limit < 1):
        raise UsageError.of(
            "bad-limit",
            "a limit is a whole number, at least 1",
            value=repr(limit),
            hint="`None` is no limit",
        )
    return limit


def _whole(limit: object) -> bool:
    return isinstance(limit, int) and not isinstance(limit, bool)


def _reusable(items: Iterable[A]) -> Iterable[A]:
    """Guard an iterator, which can be walked once, against a silent empty second run."""
    return _Once(items) if isinstance(items, Iterator) else items


class _Once(Iterable[A]):
    def __init__(self, items: Iterator[A]) -> None:
        self._items: Iterator[A] | None = items

    def __iter__(self) -> Iterator[A]:
        items, self._items = self._items, None
        if items is None:
            raise UsageError.of(
                "iterator-used-up",
                "this effect was made from an iterator and has already run once",
                hint="give it a list, or an object that can be iterated again",
            )
        return items


class _Mapped(Iterable[Effect[T, E, Env]]):
    """The effects that a function makes of items. If it raises, that is the defect of its item."""

    def __init__(self, items: Iterable[A], function: Callable[[A], Effect[T, E, Env]]) -> None:
        self._items = items
        self._function: Callable[[Any], Effect[T, E, Env]] = function

    def __iter__(self) -> Iterator[Effect[T, E, Env]]:
        function = self._function
        for item in self._items:
            try:
                effect = function(item)
            except Exception as defect:  # noqa: BLE001 (raised where the effect would have run)
                effect = Asks(partial(_raise, defect))
            yield effect


def _raise(defect: Exception, _: object) -> Never:
    raise defect
