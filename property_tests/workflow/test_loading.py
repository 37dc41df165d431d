from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anabranch.testing.strategies.workflows import (
    damaged_texts,
    invalid_workflow_texts,
    texts,
    workflow_texts,
    workflows,
)
from anabranch.values import ConfigError, Json, Problem
from anabranch.values.yaml import Entries, Items, Node, Scalar, Spot, read_yaml
from anabranch.workflow import Workflow, digest, load_workflow, to_yaml
from anabranch.workflow.yaml_writer import write_yaml


@settings(max_examples=40)
@given(workflows())
def test_a_workflow_printed_and_loaded_is_the_same_workflow(workflow: Workflow) -> None:
    assert workflow == load_workflow(to_yaml(workflow))


@settings(max_examples=40)
@given(workflow_texts())
def test_what_a_workflow_is_written_in_does_not_change_its_digest(text: str) -> None:
    loaded = load_workflow(text)
    assert digest(loaded) == digest(load_workflow(to_yaml(loaded)))


@settings(max_examples=40)
@given(workflows(), workflows())
def test_digests_are_equal_just_as_workflows_are(one: Workflow, other: Workflow) -> None:
    assert (one == other) == (digest(one) == digest(other))


@given(invalid_workflow_texts())
def test_whatever_is_no_workflow_is_refused_with_every_problem_placed(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_workflow(text, file="flow.yml")
    places = [p.where for p in caught.value.problems]
    assert all(where.file == "flow.yml" and where.line and where.column for where in places)


def problems_of(text: str) -> tuple[Problem, ...]:
    try:
        load_workflow(text)
    except ConfigError as error:
        return error.problems
    return ()


@given(damaged_texts() | texts() | st.text())
@example('"\\UFFFFFFFF"')
@example("%YAML 1.99999999999\n---\n")
@example("a: &a [*a]")
@example("? {}\n: {}\n")
def test_loading_is_total(text: str) -> None:
    assert all(p.where.line and p.where.column for p in problems_of(text))


@given(st.binary())
def test_loading_bytes_is_total(data: bytes) -> None:
    with pytest.raises(ConfigError):
        load_workflow(data)


def plain(node: Node) -> Any:
    match node:
        case Scalar():
            return node.value
        case Items():
            return [plain(child) for child in node.children]
        case Entries():
            return {entry.key: plain(entry.value) for entry in node.children}


scalars = st.none() | st.booleans() | st.integers() | texts() | st.just("")
values: st.SearchStrategy[Json] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(texts(), values, min_size=1, max_size=3))
def test_data_written_as_yaml_is_read_back_as_that_data(data: dict[str, Json]) -> None:
    document = read_yaml(write_yaml(data), Spot())
    assert document.top is not None
    assert (data, ()) == (plain(document.top), document.problems)
