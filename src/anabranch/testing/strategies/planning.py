"""Hypothesis strategies for planning: retry policies, orders, configurations of a map phase."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import TypeVar

from hypothesis import strategies as st

from anabranch.expressions import Condition, FieldPath
from anabranch.expressions.tree import And, Compare, Comparison, Literal, Node, Not, Or
from anabranch.planning.aggregation import AggregateKind, Aggregation
from anabranch.planning.backoff import (
    Backoff,
    Custom,
    Exponential,
    Fibonacci,
    Fixed,
    Linear,
    dwindles,
)
from anabranch.planning.circuit_breaker import CircuitBreaker
from anabranch.planning.error_classes import ErrorClass
from anabranch.planning.json_path import JsonPath
from anabranch.planning.policies import FailurePolicy, OnItemFailure
from anabranch.planning.resume import AgentProgress, RunOutline, RunProgress, StepProgress
from anabranch.planning.retries import RetryPolicy
from anabranch.planning.sorting import SortKey
from anabranch.planning.work import MapConfig, assign_items
from anabranch.testing.strategies.values import FIELD_NAMES, field_names, json_scalars, texts

W = TypeVar("W", bound=Enum)


def durations(*, longest: timedelta = timedelta(days=400)) -> st.SearchStrategy[timedelta]:
    """Durations from nothing to `longest`, often short."""
    return st.one_of(
        st.timedeltas(timedelta(), min(timedelta(seconds=5), longest)),
        st.timedeltas(timedelta(), longest),
    )


def backoffs() -> st.SearchStrategy[Backoff]:
    """Curves of every kind, also those that come to nothing and those that overflow."""
    return st.one_of(
        st.builds(Fixed, durations()),
        st.builds(Linear, durations(), durations()),
        st.builds(Exponential, durations(), st.floats(0.01, 1e6)),
        st.builds(Fibonacci, durations()),
        st.builds(Custom, st.lists(durations(), max_size=5), durations()),
    )


@st.composite
def retry_policies(draw: st.DrawFn) -> RetryPolicy:
    """Policies with a bound: of attempts always where the delays could come to nothing."""
    backoff = draw(backoffs())
    cap = draw(st.none() | durations())
    attempts = st.integers(1, 50)
    spins = dwindles(backoff) or cap == timedelta()
    max_attempts = draw(attempts if spins else st.none() | attempts)
    return RetryPolicy(
        backoff=backoff,
        max_attempts=max_attempts,
        budget=draw(durations() if max_attempts is None else st.none() | durations()),
        cap=cap,
        jitter=draw(st.just(0.0) | st.floats(0, 1)),
        seed=draw(st.integers() | st.text(max_size=5)),
    )


def field_paths() -> st.SearchStrategy[FieldPath]:
    """Paths into items, mostly of one name; the empty one is the item itself."""
    keys = st.one_of(field_names(), st.integers(-2, 2))
    plain = st.sampled_from(FIELD_NAMES).map(lambda name: FieldPath((name,)))
    return st.one_of(plain, plain, st.lists(keys, max_size=3).map(lambda k: FieldPath(tuple(k))))


def sort_keys() -> st.SearchStrategy[SortKey]:
    """One field to sort by, in either direction, null at either end."""
    return st.builds(
        SortKey, path=field_paths(), descending=st.booleans(), nulls_first=st.booleans()
    )


def item_filters() -> st.SearchStrategy[Condition]:
    """Conditions that some of `json_items` meet and some do not."""
    leaves: st.SearchStrategy[Node] = st.builds(
        Compare,
        st.sampled_from(FIELD_NAMES).map(lambda name: FieldPath((name,))),
        st.sampled_from(Comparison),
        st.builds(Literal, json_scalars()),
    )
    nodes = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.builds(And, st.lists(inner, max_size=3).map(tuple)),
            st.builds(Or, st.lists(inner, max_size=3).map(tuple)),
        ),
        max_leaves=4,
    )
    return nodes.map(Condition)


def map_configs(*, json_path: bool = False) -> st.SearchStrategy[MapConfig]:
    """What to work on: every setting often left out; with a `json_path` only if asked for."""
    paths = st.sampled_from(["$", "$[*]", "$..a", "$[?@.id]", "$[0]"]).map(JsonPath)
    return st.builds(
        MapConfig,
        json_path=st.none() | paths if json_path else st.none(),
        filter=st.none() | item_filters(),
        sort_by=st.lists(sort_keys(), max_size=3),
        distinct=st.none() | field_paths(),
        offset=st.just(0) | st.integers(0, 5),
        max_items=st.none() | st.integers(0, 8),
        max_parallel=st.integers(1, 20),
    )


def circuit_breakers() -> st.SearchStrategy[CircuitBreaker]:
    """Breakers with small counts, so that short histories reach every phase."""
    counts = st.integers(1, 3)
    return st.builds(
        CircuitBreaker,
        failure_threshold=counts,
        success_threshold=counts,
        timeout=durations(longest=timedelta(seconds=20)),
        half_open_requests=counts,
    )


def failure_policies() -> st.SearchStrategy[FailurePolicy]:
    """Failure policies, every setting often left out."""
    return st.builds(
        FailurePolicy,
        on_item_failure=st.sampled_from(OnItemFailure),
        continue_on_failure=st.booleans(),
        max_failures=st.none() | st.integers(1, 20),
        failure_threshold=st.none() | st.floats(0, 1),
        retry=st.none() | retry_policies(),
        retry_on=st.lists(st.sampled_from(ErrorClass), max_size=2),
        circuit_breaker=st.none() | circuit_breakers(),
    )


def aggregations() -> st.SearchStrategy[Aggregation]:
    """Aggregations of every kind, of the whole result."""
    simple = set(AggregateKind) - {AggregateKind.GROUP_BY, AggregateKind.SORT}
    return st.one_of(
        st.builds(Aggregation, kind=st.sampled_from(sorted(simple))),
        st.builds(Aggregation, kind=st.just(AggregateKind.GROUP_BY), by=field_paths()),
        st.builds(
            Aggregation, kind=st.just(AggregateKind.SORT), order=st.lists(sort_keys(), max_size=2)
        ),
    )


def run_outlines() -> st.SearchStrategy[RunOutline]:
    """Small runs whose items are known."""
    return st.builds(
        RunOutline,
        workflow=st.dictionaries(st.sampled_from(FIELD_NAMES), json_scalars(), max_size=3),
        setup_steps=st.integers(0, 3),
        reduce_steps=st.integers(0, 3),
        assignments=st.lists(st.integers() | texts(max_size=5), max_size=5).map(assign_items),
    )


def run_progresses(run: RunOutline) -> st.SearchStrategy[RunProgress]:
    """How far a run may have come, each of its steps and agents for itself."""

    def some(numbers: range, words: type[W]) -> st.SearchStrategy[dict[int, W]]:
        keys = st.sampled_from(numbers) if numbers else st.nothing()
        return st.dictionaries(keys, st.sampled_from(words), max_size=len(numbers))

    return st.builds(
        RunProgress,
        setup=some(range(run.setup_steps), StepProgress),
        agents=some(range(len(run.assignments or ())), AgentProgress),
        reduce=some(range(run.reduce_steps), StepProgress),
    )
