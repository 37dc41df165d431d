"""The document with the items, read and turned into assignments."""

from __future__ import annotations

import json
from collections.abc import Sequence

from attrs import evolve
from returns.result import Failure, Result, Success

from anabranch.effects import Effect, from_result, succeed
from anabranch.effects.work import read_file
from anabranch.environment import FileError, HasFiles, Worktree
from anabranch.lifecycle import STARS, Masker, RunState, known_assignments
from anabranch.planning import WorkAssignment
from anabranch.planning.work import assign_items
from anabranch.values import AnabranchError, ConfigError, Json, Location, Problem
from anabranch.workflow import MapPhase, plan_items


def assignments_for(
    phase: MapPhase,
    tree: Worktree,
    items: Sequence[Json] | None,
    past: RunState,
    masker: Masker,
) -> Effect[tuple[WorkAssignment, ...], AnabranchError, HasFiles]:
    """The work of a map phase: as an earlier process of the run had planned it, or anew.

    An item with a secret in it stands masked in the journal; then the input is read again.

    Args:
        phase: where the items are, and which.
        tree: the run's worktree.
        items: what to work on in the place of all that.
        past: what an earlier process of the run had done.
        masker: what is secret.
    """
    if items is not None:
        return succeed(assign_items(items))
    known = known_assignments(past)
    if known is None or any(STARS in json.dumps(a.item).encode() for a in known):
        return read_assignments(phase, tree, masker)
    return succeed(known)


def read_assignments(
    phase: MapPhase, tree: Worktree, masker: Masker
) -> Effect[tuple[WorkAssignment, ...], AnabranchError, HasFiles]:
    """Read the input of a map phase from a worktree and plan the work."""

    def missing(error: FileError) -> ConfigError:
        return ConfigError(
            Problem(
                code="no-input",
                message="the input of the map phase cannot be read",
                where=Location(path="map.input"),
                value=phase.input,
                expected=f"a file in the worktree after `setup` ({error.message})",
                hint="commit it, or let a step of `setup` write it",
            )
        )

    read = read_file(f"{tree.path}/{phase.input}").map_error(missing)
    return read.and_then(lambda data: from_result(assignments_of(phase, data, masker)))


def assignments_of(
    phase: MapPhase, data: bytes, masker: Masker
) -> Result[tuple[WorkAssignment, ...], AnabranchError]:
    """The assignments for a document, given as the bytes of its file."""
    try:
        return Success(plan_items(phase, data))
    except ConfigError as error:
        return Failure(_without_secrets(phase, data, masker, error))


def _without_secrets(
    phase: MapPhase, data: bytes, masker: Masker, error: ConfigError
) -> ConfigError:
    """The same error of the masked document: it quotes a part of it, and a part is not masked."""
    masked = masker.data(data)
    if masked == data:
        return error
    try:
        plan_items(phase, masked)
    except ConfigError as quoting:
        return quoting
    return ConfigError(*(evolve(problem, value=None) for problem in error.problems))
