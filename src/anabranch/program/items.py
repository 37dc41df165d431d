"""The document with the items, read and turned into assignments."""

from __future__ import annotations

import json

from returns.result import Failure, Result, Success

from anabranch.effects import Effect, from_result
from anabranch.effects.work import read_file
from anabranch.environment import HasFiles, Worktree
from anabranch.planning import MapConfig, WorkAssignment, plan_work_assignments
from anabranch.values import AnabranchError, ConfigError, Json, Location, Problem
from anabranch.workflow import MapPhase


def read_assignments(
    phase: MapPhase, tree: Worktree
) -> Effect[tuple[WorkAssignment, ...], AnabranchError, HasFiles]:
    """Read the input of a map phase from a worktree and plan the work."""

    def missing(error: object) -> ConfigError:
        return ConfigError(
            Problem(
                code="no-input",
                message="the input of the map phase cannot be read",
                where=Location(path="map.input"),
                value=phase.input,
                expected=f"a file in the worktree after `setup` ({error})",
            )
        )

    read = read_file(f"{tree.path}/{phase.input}").map_error(missing)
    return read.and_then(lambda data: from_result(assignments_of(phase, data)))


def assignments_of(
    phase: MapPhase, data: bytes
) -> Result[tuple[WorkAssignment, ...], AnabranchError]:
    """The assignments for a document, given as the bytes of its file."""
    try:
        document: Json = json.loads(data)
    except ValueError as error:
        return Failure(_problem("bad-json", f"not a JSON document: {error}", "map.input"))
    config = MapConfig(
        json_path=phase.json_path,
        filter=phase.filter,
        sort_by=phase.sort_by or (),
        distinct=phase.distinct,
        offset=phase.offset,
        max_items=phase.max_items,
        max_parallel=phase.max_parallel,
    )
    if document and not plan_work_assignments(document, MapConfig(json_path=phase.json_path)):
        text = f"`{phase.json_path}` matches nothing in `{phase.input}`"
        return Failure(_problem("no-match", text, "map.json_path", _outline(document)))
    return Success(plan_work_assignments(document, config))


def _problem(code: str, message: str, path: str, expected: str | None = None) -> ConfigError:
    return ConfigError(
        Problem(code=code, message=message, where=Location(path=path), expected=expected)
    )


def _outline(document: Json) -> str:
    """What a path could begin with."""
    match document:
        case dict():
            return "a path such as " + ", ".join(f"`$.{key}`" for key in list(document)[:5])
        case list():
            return "a path such as `$[*]`: the document is an array"
        case _:
            return "`$`: the document is a single value"
