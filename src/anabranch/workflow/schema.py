"""The grammar of workflow files as JSON Schema, for editors."""

from __future__ import annotations

from anabranch.values import Json
from anabranch.workflow.grammar import STEP_SCHEMA, WORKFLOW


def workflow_schema() -> dict[str, Json]:
    """Make the schema (draft 2020-12) of workflow files.

    It accepts every file that loads. What only the loader can know (whether a condition can
    be read, whether a reference is defined) it does not refuse.

    >>> workflow_schema()["required"]
    ['name', 'mode', 'map']
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A workflow of anabranch",
        **WORKFLOW.schema,
        "$defs": {"step": STEP_SCHEMA},
    }
