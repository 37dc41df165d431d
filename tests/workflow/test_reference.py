from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from anabranch.values import Json
from anabranch.workflow import workflow_schema
from anabranch.workflow.scopes import SCOPES

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "workflows.md").read_text()
CODE = set(re.findall(r"`([^`\n]+)`", PAGE))


def keys(schema: Json) -> Iterator[str]:
    if isinstance(schema, Mapping):
        properties = schema.get("properties")
        yield from properties if isinstance(properties, Mapping) else ()
        for value in schema.values():
            yield from keys(value)
    elif isinstance(schema, Sequence) and not isinstance(schema, str):
        for value in schema:
            yield from keys(value)


def test_the_reference_names_every_key_of_a_workflow_file() -> None:
    assert set() == set(keys(workflow_schema())) - CODE


def test_the_reference_names_everything_that_a_step_can_refer_to() -> None:
    scopes = [(name, inside) for scope in SCOPES.values() for name, inside in scope.items()]
    names = {f"{name}.{one}" if one else name for name, inside in scopes for one in inside or ("",)}
    assert set() == names - CODE
