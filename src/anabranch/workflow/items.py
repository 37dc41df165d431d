"""The bytes of a map phase's input → its assignments."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from anabranch.planning import (
    JsonPath,
    WorkAssignment,
    format_of,
    plan_work_assignments,
    read_document,
)
from anabranch.values import ConfigError, Json, Location, Problem
from anabranch.workflow.model import MapPhase

_SHOWN = 5


def plan_items(phase: MapPhase, data: bytes) -> tuple[WorkAssignment, ...]:
    """Plan the work on the items of a document.

    Args:
        phase: says where in the document the items are, and which of them to take.
        data: the content of the file that `phase.input` names; its suffix tells the format.

    Raises:
        ConfigError: it is not of that format, or nothing in it is where `json_path` says.

    >>> from anabranch.workflow import map_phase
    >>> plan_items(map_phase("i.json", ["make"], json_path="$.files[*]"), b'{"files": ["a.py"]}')
    (WorkAssignment(id=0, item='a.py'),)
    """
    document = read_document(data, format_of(phase.input), file=phase.input)
    path = phase.config.json_path
    if path is not None and not path.find_all(document) and not _empties(document, path):
        raise ConfigError(_no_match(phase, document))
    return plan_work_assignments(document, phase.config)


def _empties(document: Json, path: JsonPath) -> bool:
    """Whether the path asks for the elements of something that is there and has none."""
    parent = path.text.removesuffix("[*]").removesuffix(".*")
    return parent != path.text and bool(JsonPath(parent).find_all(document))


def _no_match(phase: MapPhase, document: Json) -> Problem:
    return Problem(
        code="no-match",
        message=f"nothing in `{phase.input}` is at this JSONPath",
        where=Location(path="map.json_path"),
        value=phase.json_path,
        expected=_outline(document),
    )


def _outline(document: Json) -> str:
    match document:
        case Mapping() if document:
            names = ", ".join(f"`$.{key}`" for key in islice(document, _SHOWN))
            return f"the document has {names}{', …' if len(document) > _SHOWN else ''}"
        case str() | bool() | int() | float() | None:
            return "the document is a single value, `$`"
        case Mapping():
            return "the document is an empty object"
        case _:
            return f"the document is an array of {len(document)}, `$[*]`"
