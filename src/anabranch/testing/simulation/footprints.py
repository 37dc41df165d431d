"""What each call of a port reads and writes, for `explore`: a table.

The events of one subject are in the order of what happens to it. The order in which events of
different subjects come to stand in a journal says nothing about them, and counts as no
difference; so a law about how many run at once is not one that `explore` can prove.
"""

from __future__ import annotations

from typing import Any, Final

from anabranch.environment import Invocation, MergeRequest, Worktree, WorktreeRequest
from anabranch.lifecycle import subject_of
from anabranch.testing.git import GitState
from anabranch.testing.git.store import HOME
from anabranch.testing.simulation.exploring import ANYTHING

_LOOKS: Final = frozenset({"worktrees.head", "worktrees.committed", "worktrees.changes"})
Touched = list[tuple[str, bool]]
"""Names of what is touched, and whether it is written."""


def touched(  # noqa: PLR0911 (a table)
    state: GitState, run: str, name: str, arguments: tuple[Any, ...]
) -> Touched:
    """What a call of a port touches; what is not in the table touches everything."""
    match name, arguments:
        case "journal.append", payloads:
            subjects = {subject_of(payload) or "" for payload in payloads}
            return [(f"journal {run} {subject}", True) for subject in sorted(subjects)]
        case "files.read", (str(path),):
            return [(_tree(state, path) or f"file {path}", False)]
        case "commands.run", (Invocation(cwd=path), *_):
            return _worked(state, path)
        case "worktrees.create", (WorktreeRequest() as request, *_):
            return _created(run, request)
        case _, (Worktree() as tree, *_) if name in _LOOKS:
            return [(f"tree {tree.path}", False)]
        case "worktrees.remove", (Worktree() as tree, *_):
            return [(f"tree {tree.path}", True)]
        case "merges.drop", (str(branch),):
            return [(f"branch {branch}", True)]
        case "merges.merge", (MergeRequest() as request,):
            moved = filter(None, (request.target, request.drops))
            return [(f"branch {branch}", True) for branch in moved]
        case _:
            return [(ANYTHING, True)]


def _worked(state: GitState, path: str) -> Touched:
    """A command changes its tree, and perhaps the branch that is checked out there."""
    checkout = state.checkouts.get(path)
    if checkout is None:
        return [(ANYTHING, True)]
    return [(f"tree {path}", True), (f"branch {checkout.head.removeprefix('refs/heads/')}", True)]


def _created(run: str, request: WorktreeRequest) -> Touched:
    path = f"{HOME}.anabranch/{run}/{request.name}"
    made = [(f"tree {path}", True), (f"branch {request.parent}", False)]
    if request.branch is not None:
        made.append((f"branch {request.branch}", True))
    if request.carry is not None:
        made.append((f"tree {request.carry}", False))
    return made


def _tree(state: GitState, path: str) -> str | None:
    """The tree that a file belongs to."""
    return next((f"tree {root}" for root in state.checkouts if path.startswith(f"{root}/")), None)
