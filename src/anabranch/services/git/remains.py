"""What a run that has ended left behind, because its process was killed while it put away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen
from returns.pipeline import is_successful

from anabranch.services.git.admin import entries
from anabranch.services.git.cleaning import Retention, Verdict, plan_cleaning
from anabranch.services.git.registry import path_of
from anabranch.services.git.removal import TRASH
from anabranch.services.git.repository import GitRepository
from anabranch.services.git.sweeping import find_worktrees, lock_of, sweep, sweep_spares
from anabranch.services.journal import LOCK as JOURNAL_LOCK
from anabranch.services.locks import acquire


@frozen(kw_only=True)
class Swept:
    """What was done with what a run had left behind.

    Attributes:
        gone: paths of what was taken away.
        kept: paths of worktrees that stay, such as those with work that is nowhere else, and why.
        failed: paths of what could not be taken away, and why.
    """

    gone: tuple[str, ...]
    kept: dict[str, str]
    failed: dict[str, str]


def remains_of(repository: GitRepository, run: str) -> tuple[str, ...]:
    """What is there of a run beside its journal and its logs: worktrees, rubbish, its locks.

    Rubbish and the empty directory of all worktrees are nobody's, and count for every run.

    Args:
        repository: where.
        run: a run that has ended, and whose process is gone.

    Returns:
        Paths, in order.
    """
    return tuple(sorted(set(_remains(repository, run))))


def _remains(repository: GitRepository, run: str) -> Iterator[str]:
    mine = os.path.join(repository.place, run)
    single = (
        *_locks(repository, run),
        os.path.join(repository.place, TRASH),
        os.path.join(repository.state, TRASH),
    )
    yield from filter(os.path.lexists, single)
    for entry in entries(repository.common):
        if entry.reason is not None and entry.reason.run == run:
            yield path_of(repository, entry, entry.reason)
    with suppress(FileNotFoundError, NotADirectoryError):
        yield from [os.path.join(mine, name) for name in os.listdir(mine)] or [mine]
    with suppress(FileNotFoundError, NotADirectoryError):
        if not os.listdir(repository.place):
            yield repository.place


def sweep_run(repository: GitRepository, run: str) -> Swept:
    """Take away what a run that has ended left behind; work that is nowhere else stays.

    Args:
        repository: where.
        run: a run that has ended, and whose process is gone.
    """
    before = remains_of(repository, run)
    sweep_spares(repository)
    judged = plan_cleaning(find_worktrees(repository, run), Retention(), datetime.now(UTC))
    done = sweep(repository, judged)
    for lock in filter(os.path.lexists, _locks(repository, run)):
        _unlock(Path(lock))
    after = remains_of(repository, run)
    return Swept(
        gone=tuple(path for path in before if path not in after),
        kept={
            each.tree.path: each.reason
            for each in judged
            if each.verdict is Verdict.KEEP and each.tree.path in after
        },
        failed={each.tree.path: problem for each, problem in done if problem is not None},
    )


def _locks(repository: GitRepository, run: str) -> tuple[str, str]:
    """The locks of a run and of its journal."""
    owner = lock_of(repository, run)
    return owner, os.path.join(os.path.dirname(owner), JOURNAL_LOCK)


def _unlock(path: Path) -> None:
    """Remove a lock that nobody holds: whoever takes it removes it afterwards."""
    granted = acquire(path)
    if is_successful(granted):
        granted.unwrap().release()
