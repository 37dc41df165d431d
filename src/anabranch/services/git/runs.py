"""A run in a repository: one process at a time, with its worktrees and merges."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from anyio import CancelScope
from attrs import frozen
from returns.pipeline import is_successful

from anabranch.services.git.choosing import trees_for
from anabranch.services.git.heads import Heads
from anabranch.services.git.merges import GitMerges
from anabranch.services.git.places import is_safe_part
from anabranch.services.git.registry import OURS, Registry
from anabranch.services.git.repository import GitRepository
from anabranch.services.git.sweeping import sweep_spares
from anabranch.services.git.threads import Lane, in_thread
from anabranch.services.git.untracked import Untracked, untracked_files
from anabranch.services.git.workshop import Workshop
from anabranch.services.git.worktrees import GitWorktrees
from anabranch.services.locks import FileLock, LockFault, acquire
from anabranch.values import HostError


@frozen(kw_only=True)
class GitRun:
    """What a run needs of git: the two ports."""

    worktrees: GitWorktrees
    merges: GitMerges


@asynccontextmanager
async def git_run(
    repository: GitRepository,
    run: str,
    *,
    leaving: Callable[[str], Awaitable[None]] | None = None,
) -> AsyncGenerator[GitRun]:
    """Claim a run id in a repository, for as long as the context lasts.

    The claim is known to other processes and ends with this one however it ends, so that a
    clean-up elsewhere can tell worktrees in use from those that were left behind.

    Args:
        repository: where.
        run: the id.
        leaving: called with the path of a worktree before it is taken away.

    Raises:
        HostError: another process runs it, the id cannot be part of a path and a branch, or there
            is a branch of the user where git would need a directory for ours.
    """
    if not is_safe_part(run):
        hint = "use letters, digits and `-`, at most 100 of them"
        raise HostError.of("bad-run-id", "not an id for a run", value=run, hint=hint)
    directory = os.path.join(repository.state, "runs", run)
    await in_thread(lambda: _require_branches(repository))
    await in_thread(lambda: sweep_spares(repository))
    lock = await in_thread(lambda: _claim(directory, run))
    trees_lane, merges_lane = Lane(), Lane()
    try:
        workshop = Workshop.of(repository, directory, lock.descriptor)
        registry = Registry(repository=repository, run=run)
        trees = await in_thread(lambda: trees_for(registry, workshop.refs))
        try:
            worktrees = GitWorktrees(
                registry=registry,
                observer=workshop.observer,
                trees=trees,
                untracked=Untracked(partial(untracked_files, repository.trees), repository.common),
                lane=trees_lane,
                leaving=leaving,
            )
            yield GitRun(
                worktrees=worktrees,
                merges=GitMerges(
                    repository=repository,
                    merger=workshop.merger,
                    heads=Heads(repository.common, repository.bare, repository.main),
                    origin=os.path.join(directory, "origin.json"),
                    lane=merges_lane,
                ),
            )
        finally:
            with CancelScope(shield=True):
                trees_lane.close()
                merges_lane.close()
                await in_thread(trees.close)
                await in_thread(workshop.close)
    finally:
        lock.release()


def _require_branches(repository: GitRepository) -> None:
    """Refuse a repository in which no branch of ours can be made."""
    name = OURS.rstrip("/")
    if repository.git.attempt("show-ref", "--verify", "--quiet", f"refs/heads/{name}").code == 0:
        reason = f"a branch `{name}` keeps git from making branches `{OURS}…`"
        raise HostError.of("branch-in-the-way", reason, hint=f"git branch -m {name} my-{name}")


def _claim(directory: str, run: str) -> FileLock:
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError as refused:
        hint = "make room and make it writable for you, or choose another repository"
        reason = f"cannot make a directory for the run: {refused.strerror}"
        raise HostError.of("no-state-directory", reason, value=directory, hint=hint) from refused
    granted = acquire(Path(directory, "owner"))
    if is_successful(granted):
        return granted.unwrap()
    error = granted.failure()
    if error.fault is not LockFault.HELD:
        raise HostError.of("run-not-locked", error.message, value=run, hint=error.hint)
    value = f"{run} ({error.owner or 'an unknown process'})"
    hint = "wait for it to end, or cancel it"
    raise HostError.of("run-is-alive", "another process works on this run", value=value, hint=hint)
