from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anabranch.values import ConfigError
from anabranch.workflow import load_workflow, to_data, workflow_schema
from tests.snapshots import assert_snapshot
from tests.workflow.json_schema import accepts

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(ROOT.glob("examples/*.yml"))

SMALL: dict[str, Any] = {
    "name": "w",
    "mode": "mapreduce",
    "map": {"input": "i", "agent_template": ["make"]},
}


def loads(data: Any) -> bool:
    try:
        load_workflow(json.dumps(data))
    except ConfigError:
        return False
    return True


def test_the_schema_for_editors_is_the_one_that_the_grammar_makes() -> None:
    made = json.dumps(workflow_schema(), indent=2) + "\n"
    assert_snapshot(ROOT / "docs" / "reference" / "workflow.schema.json", made)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_loads_and_is_accepted_by_the_schema(file: Path) -> None:
    assert accepts(workflow_schema(), to_data(load_workflow(file.read_bytes())))


def test_there_are_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"setup": ["make"]},
        {"setup": {"timeout": "5m", "commands": ["make"]}},
        {"setup": {"timeout": 0, "commands": []}},
        {"setup": {"timeout": 5}},
        {"setup": None},
        {"name": ""},
        {"mode": "map"},
        {"map": []},
        {"map": SMALL["map"] | {"max_parallel": 0}},
        {"map": SMALL["map"] | {"max_parallel": True}},
        {"map": SMALL["map"] | {"max_items": 0}},
        {"map": SMALL["map"] | {"offset": -1}},
        {"map": SMALL["map"] | {"agent_template": []}},
        {"map": SMALL["map"] | {"agent_template": {"commands": ["make"]}}},
        {"map": {"input": "i"}},
        {"reduce": [{"shell": "make", "env": {"A": 1, "B": True, "C": "x"}}]},
        {"reduce": [{"shell": "make", "env": {"A B": "1"}}]},
        {"reduce": [{"shell": "make", "env": {"A": None}}]},
        {"reduce": [{"shell": " "}]},
        {"reduce": [{"name": "x"}]},
        {"reduce": [{"shell": "make", "commit_required": "yes"}]},
        {"reduce": ["make", ["make"]]},
        {"redcue": []},
    ],
)
def test_the_schema_and_the_loader_accept_the_same(change: dict[str, Any]) -> None:
    data = SMALL | change
    assert loads(data) == accepts(workflow_schema(), data)
