from __future__ import annotations

from hypothesis import given

from anabranch.testing.strategies.workflows import workflows
from anabranch.workflow import Workflow, to_data, workflow_schema
from tests.workflow.json_schema import accepts

SCHEMA = workflow_schema()


@given(workflows())
def test_whatever_loads_is_accepted_by_the_schema(workflow: Workflow) -> None:
    assert accepts(SCHEMA, to_data(workflow))
