from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from anabranch.planning.backoff import Exponential
from anabranch.planning.graph import CommandGraph
from anabranch.planning.resources import Claim, Limits
from anabranch.planning.retries import RetryPolicy
from anabranch.planning.schedule import Forecast
from anabranch.planning.serialisation import from_json, to_json
from anabranch.planning.step_graph import StepGraph, StepNode
from anabranch.values import ConfigError, Json, Problem

SECOND = timedelta(seconds=1)


def problems(document: Json, kind: type[object]) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        from_json(document, kind)
    return caught.value.problems


def test_a_graph_is_its_names_and_what_each_waits_for() -> None:
    graph = CommandGraph.from_edges(2, [(0, 1)], names=["a", "b"])
    assert {"names": ["a", "b"], "waits": [[], [0]]} == to_json(graph)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(), "0s"),
        (SECOND, "1s"),
        (100 * SECOND, "100s"),
        (timedelta(microseconds=1), "0.000001s"),
        (timedelta.max, "86399999999999.999999s"),
        (-SECOND / 2, "-0.5s"),
    ],
)
def test_a_duration_is_written_exactly(duration: timedelta, text: str) -> None:
    forecast = Forecast(slots=1, makespan=duration, lower_bound=duration)
    document = to_json(forecast)
    assert {"slots": 1, "makespan": text, "lower_bound": text} == document
    assert forecast == from_json(document, Forecast)


@pytest.mark.parametrize(
    "text", ["1", "s", "1m", "1e-7s", "nans", "1e900000s", "infs", "99999999999999s", 1]
)
def test_what_is_no_exact_duration_is_refused(text: Json) -> None:
    document: Json = {"slots": 1, "makespan": text, "lower_bound": "1s"}
    assert ["$.makespan"] == [p.where.path for p in problems(document, Forecast)]


def test_of_several_classes_the_object_says_which_it_is() -> None:
    policy = RetryPolicy(backoff=Exponential(SECOND), max_attempts=3)
    document: Any = to_json(policy)
    assert "Exponential" == document["backoff"]["type"]
    document["backoff"]["type"] = "Exponentail"
    (problem,) = problems(document, RetryPolicy)
    assert ("$.backoff.type", "'Exponentail'") == (problem.where.path, problem.value)


def test_everything_that_is_wrong_is_said_at_once_with_its_place() -> None:
    document: Json = {
        "steps": [{"name": "a", "claims": [{"name": "gpu", "amount": 0}, {}]}, {"nam": "b"}, 3],
        "max_timeout": "soon",
        "limits": {"max_parallel": "four"},
        "resources": {"slots": True},
    }
    found = problems(document, StepGraph)
    assert [
        "$.steps[0].claims[0].amount",
        "$.steps[0].claims[1].name",
        "$.steps[1].nam",
        "$.steps[1].name",
        "$.steps[2]",
        "$.max_timeout",
        "$.limits.max_parallel",
        "$.resources.slots",
    ] == [problem.where.path for problem in found]
    assert "did you mean `name`?" == found[2].hint


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"names": ["a"], "waits": [[0]]}, "self-loop"),
        ({"names": ["a", "b"], "waits": [[1], [0]]}, "cycle"),
        ({"names": ["a"], "waits": [[7]]}, "bad-graph"),
        ({"names": ["a"], "waits": [[-1]]}, "bad-graph"),
        ({"names": ["a"], "waits": []}, "bad-graph"),
    ],
)
def test_a_graph_that_was_saved_is_checked_like_any_other(
    document: Mapping[str, Json], expected: str
) -> None:
    assert expected == problems(document, CommandGraph)[0].code


def test_sets_are_sorted_so_that_equal_values_are_equal_texts() -> None:
    node = StepNode(name="a", uses=frozenset("cab"))
    document: Any = to_json(node)
    assert ["a", "b", "c"] == document["uses"]
    assert json.dumps(document) == json.dumps(to_json(from_json(document, StepNode)))


def test_a_schema_inside_a_step_is_kept_as_it_is() -> None:
    node = StepNode(name="a", takes={"type": ["string", "null"], "enum": [None, "x"]})
    assert node == from_json(json.loads(json.dumps(to_json(node))), StepNode)


def test_what_json_cannot_say_is_refused_when_it_is_written() -> None:
    with pytest.raises(TypeError, match="object at"):
        to_json(object())


def test_claims_and_limits_read_as_they_are_written() -> None:
    limits = Limits(slots=3, pools={"gpu": 2})
    assert limits == from_json(to_json(limits), Limits)
    assert Claim("gpu") == from_json({"name": "gpu"}, Claim)
