"""The run's own worktree: made when the run begins, found again when it goes on."""

from __future__ import annotations

from typing import Final

from anabranch.effects import Do, Effect, do, fail, succeed
from anabranch.effects.work import create_worktree, remove_worktree, reopen_worktree
from anabranch.environment import HasWorktrees, Worktree
from anabranch.lifecycle import RunState
from anabranch.program.faults import fatal
from anabranch.values import HostError

NAME: Final = "run"
"""What the run's own worktree is called."""


@do
def own_worktree(branch: str, past: RunState) -> Do[Worktree, HostError, HasWorktrees]:
    """The worktree of the run: the one that an earlier process left, or a new one.

    What setup and reduce leave in it without committing it is nowhere else. If it is gone, and
    they had begun, the run cannot go on as if nothing were missing.
    """
    if past.phases:
        left = yield from reopen_worktree(NAME, parent=branch).map_error(fatal)
        if left is not None:
            return left
    begun = [name for name in ("setup", "reduce") if name in past.phases]
    if begun:
        yield from fail(_gone(branch, past, begun[-1]))
    return (yield from create_worktree(NAME, parent=branch).map_error(fatal))


def no_worktree(branch: str) -> Effect[None, HostError, HasWorktrees]:
    """Take the worktree of the run away, if an earlier process left it behind."""

    def removed(tree: Worktree | None) -> Effect[object, HostError, HasWorktrees]:
        return succeed(None) if tree is None else remove_worktree(tree).map_error(fatal)

    return reopen_worktree(NAME, parent=branch).map_error(fatal).and_then(removed).as_(None)


def _gone(branch: str, past: RunState, phase: str) -> HostError:
    run = "RUN" if past.created is None else past.created.run
    return HostError.of(
        "worktree-gone",
        f"the worktree of the run is gone, and what `{phase}` left in it",
        hint=f"take what is done with `git merge --no-overwrite-ignore {branch}`, end the run with "
        f"`anabranch cancel {run}`, and begin a new one",
    )
