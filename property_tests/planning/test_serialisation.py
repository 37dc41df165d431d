from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from anabranch.planning.admission import Usage
from anabranch.planning.commands import Command
from anabranch.planning.differences import ChangeKind, differences
from anabranch.planning.graph import CommandGraph
from anabranch.planning.json_order import identity_key
from anabranch.planning.resources import Limits
from anabranch.planning.retries import RetryPolicy
from anabranch.planning.schedule import Schedule
from anabranch.planning.serialisation import from_json, to_json
from anabranch.planning.step_graph import StepGraph
from anabranch.testing.strategies.graphs import (
    claims_within,
    command_graphs,
    command_lists,
    resource_limits,
    step_graphs,
)
from anabranch.testing.strategies.planning import retry_policies
from anabranch.values import ConfigError

durations = st.timedeltas(timedelta(), timedelta.max)


def usages() -> st.SearchStrategy[Usage]:
    claims = resource_limits().flatmap(claims_within)
    return st.builds(
        Usage,
        running=st.dictionaries(st.text(max_size=3), claims, max_size=2),
        starts=st.dictionaries(st.text(max_size=3), st.lists(durations, max_size=2).map(tuple)),
    )


def schedules() -> st.SearchStrategy[Schedule]:
    several = st.lists(durations, max_size=3).map(tuple)
    return st.builds(
        Schedule,
        starts=several,
        ends=several,
        makespan=durations,
        lower_bound=durations,
        peak=st.integers(0, 9),
    )


def values() -> st.SearchStrategy[Any]:
    return st.one_of(
        command_graphs(),
        resource_limits(),
        usages(),
        schedules(),
        step_graphs(max_size=3),
        command_lists(max_size=2).flatmap(
            lambda c: st.sampled_from(c) if c else st.just(Command(""))
        ),
        retry_policies(),
    )


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False)
    | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
named = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abcdef"), "x": st.integers(0, 1)}),
    max_size=6,
    unique_by=lambda element: element["name"],
)


@given(values())
def test_a_value_comes_back_from_json_as_it_went(value: object) -> None:
    document = json.loads(json.dumps(to_json(value)))
    assert value == from_json(document, type(value))
    assert document == to_json(from_json(document, type(value)))


def read(document: Any, kind: type[object]) -> object:
    """The value, or the error if it is refused."""
    try:
        return from_json(document, kind)
    except ConfigError as error:
        return error


def places(document: Any) -> list[Any]:
    """The keys or indices of what is in a document."""
    if hasattr(document, "keys"):
        return list(document.keys())
    return list(range(len(document))) if hasattr(document, "append") else []


@given(
    json_values,
    st.sampled_from([CommandGraph, Limits, Usage, Schedule, StepGraph, Command, RetryPolicy]),
)
def test_any_document_is_read_or_refused_with_places(document: Any, kind: type[object]) -> None:
    match read(document, kind):
        case ConfigError(problems=problems):
            assert all(str(problem.where.path).startswith("$") for problem in problems)
        case value:
            assert isinstance(value, kind)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[type[object], Any]:
    """A document with something else in one place."""
    value: object = draw(values())
    document: Any = json.loads(json.dumps(to_json(value)))
    inner = document
    while places(inner):
        place = draw(st.sampled_from(places(inner)))
        if not places(inner[place]) or draw(st.booleans()):
            inner[place] = draw(json_values)
            break
        inner = inner[place]
    return type(value), document


@given(damaged())
def test_a_damaged_document_is_read_or_refused_and_nothing_else(
    damage: tuple[type[object], Any],
) -> None:
    kind, document = damage
    match read(document, kind):
        case ConfigError(problems=problems):
            assert problems
        case value:
            assert value == from_json(to_json(value), kind)


@given(json_values, json_values)
def test_there_are_no_differences_exactly_if_nothing_changed(before: Any, after: Any) -> None:
    assert () == differences(before, json.loads(json.dumps(before)))
    assert (identity_key(before) == identity_key(after)) == (() == differences(before, after))


@given(named, named)
def test_the_way_back_is_the_way_there_turned_round(before: Any, after: Any) -> None:
    there, back = differences(before, after), differences(after, before)
    turned = {"+": "-", "-": "+", "~": "~", ">": ">"}
    ours = sorted((turned[c.kind], c.path, c.after, c.before) for c in there if c.kind != ">")
    theirs = sorted((str(c.kind), c.path, c.before, c.after) for c in back if c.kind != ">")
    assert [repr(change) for change in ours] == [repr(change) for change in theirs]


@given(named, named)
def test_what_did_not_move_keeps_its_order_and_the_rest_is_named(before: Any, after: Any) -> None:
    moved = {c.path for c in differences(before, after) if c.kind is ChangeKind.MOVED}
    names = [e["name"] for e in before]
    others = [e["name"] for e in after if e["name"] in names and f"[{e['name']}]" not in moved]
    assert sorted(others, key=names.index) == others
    assert bool(moved) == (
        [n for n in names if n in {e["name"] for e in after}]
        != [e["name"] for e in after if e["name"] in names]
    )
