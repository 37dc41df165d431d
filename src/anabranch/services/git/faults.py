"""From what went wrong inside an operation to the values that ports answer with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from returns.result import Failure, Result, Success

from anabranch.environment import (
    Conflict,
    MergeError,
    MergeFault,
    WorktreeError,
    WorktreeFault,
)
from anabranch.services.git.objects import NoSuchObject
from anabranch.services.git.removal import FULL
from anabranch.services.git.runner import GitError

T = TypeVar("T")

NO_SPACE: Final = "free some space, or run `anabranch worktrees clean`"


class Refused(Exception):  # noqa: N818 - not an error: an answer, on its way to the port
    """An operation on a worktree that ends here, for a known reason."""

    def __init__(self, fault: WorktreeFault, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message
        self.hint = hint


class Unmerged(Exception):  # noqa: N818 - as above
    """A merge that ends here, for a known reason."""

    def __init__(
        self,
        fault: MergeFault,
        message: str,
        conflicts: tuple[Conflict, ...] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.error = MergeError(fault=fault, message=message, conflicts=conflicts, hint=hint)


def worktree_result(name: str, operation: Callable[[], T]) -> Result[T, WorktreeError]:
    """Do it, and turn what goes wrong in a known way into a value."""
    try:
        return Success(operation())
    except Refused as refused:
        return Failure(
            WorktreeError(
                fault=refused.fault, name=name, message=refused.message, hint=refused.hint
            )
        )
    except GitError as error:
        fault = WorktreeFault.NO_SPACE if error.no_space else WorktreeFault.GIT
        hint = NO_SPACE if error.no_space else None
        return Failure(WorktreeError(fault=fault, name=name, message=str(error), hint=hint))
    except NoSuchObject as error:
        return Failure(WorktreeError(fault=WorktreeFault.GIT, name=name, message=str(error)))
    except OSError as error:
        full = error.errno in FULL
        fault = WorktreeFault.NO_SPACE if full else WorktreeFault.GIT
        hint = NO_SPACE if full else None
        return Failure(WorktreeError(fault=fault, name=name, message=str(error), hint=hint))


def merge_result(operation: Callable[[], T]) -> Result[T, MergeError]:
    """Do it, and turn what goes wrong in a known way into a value."""
    try:
        return Success(operation())
    except Unmerged as unmerged:
        return Failure(unmerged.error)
    except (GitError, NoSuchObject, OSError) as error:
        return Failure(MergeError(fault=MergeFault.GIT, message=str(error)))
