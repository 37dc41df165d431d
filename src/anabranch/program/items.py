"""The document with the items, read and turned into assignments."""

from __future__ import annotations

from returns.result import Failure, Result, Success

from anabranch.effects import Effect, from_result
from anabranch.effects.work import read_file
from anabranch.environment import HasFiles, Worktree
from anabranch.planning import WorkAssignment
from anabranch.values import AnabranchError, ConfigError, Location, Problem
from anabranch.workflow import MapPhase, plan_items


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
        return Success(plan_items(phase, data))
    except ConfigError as error:
        return Failure(error)
