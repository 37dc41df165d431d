"""Which worktrees of ours may go: a decision from facts, without looking at anything.

What is alive is never touched, nor what belongs to a process on another machine, of which
nobody here can know. What holds work that is nowhere else is kept until somebody says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from attrs import frozen

from anabranch.environment import Oid
from anabranch.services.owners import Life, Owner

OWN: Final = "run"
"""The name of a run's own worktree, in which its phases work; all others are of agents."""


@frozen(kw_only=True)
class FoundTree:
    """A worktree of ours, as it was found.

    Attributes:
        run: the run that it belongs to.
        name: its name in the run.
        path: its working tree, which may be gone.
        admin: git's directory for it; empty if git does not know the tree.
        owner: the process that made it; `None` if nothing says so.
        life: whether that process lives, as far as it can be known.
        used: when git last did something in it.
        size: bytes on disk.
        dirty: whether it has changes that were not committed, ignored files left out.
        stray: a commit it is on that no branch holds.
        carries: whether other trees are laid over it.
    """

    run: str
    name: str
    path: str
    admin: str
    owner: Owner | None
    life: Life
    used: datetime
    size: int = 0
    dirty: bool = False
    stray: Oid | None = None
    carries: bool = False


class Verdict(StrEnum):
    """What to do with a worktree."""

    REMOVE = "remove"
    KEEP = "keep"


@frozen(kw_only=True)
class Judgement:
    """What to do with a worktree, and why."""

    tree: FoundTree
    verdict: Verdict
    reason: str


@frozen(kw_only=True)
class Retention:
    """What a clean-up keeps, beside what it has to.

    Attributes:
        runs: runs that are to be resumed, and find their own worktree as it was.
        newer_than: worktrees that were used within this time are kept.
        unsaved: whether worktrees with work that is nowhere else are kept.
    """

    runs: frozenset[str] = frozenset()
    newer_than: timedelta = timedelta()
    unsaved: bool = True


def plan_cleaning(
    found: Iterable[FoundTree], retention: Retention, now: datetime
) -> tuple[Judgement, ...]:
    """Decide for each worktree whether it may go; in the order in which they came."""
    return tuple(_judge(tree, retention, now) for tree in found)


def _judge(tree: FoundTree, retention: Retention, now: datetime) -> Judgement:
    kept = _reason_to_keep(tree, retention, now)
    if kept is not None:
        return Judgement(tree=tree, verdict=Verdict.KEEP, reason=kept)
    reason = "its process is gone" if tree.owner is None else f"{tree.owner} is gone"
    return Judgement(tree=tree, verdict=Verdict.REMOVE, reason=reason)


def _reason_to_keep(tree: FoundTree, retention: Retention, now: datetime) -> str | None:
    stray = f"it is on a commit that no branch holds: {(tree.stray or '')[:12]}"
    reasons = (
        (tree.life is Life.ALIVE, f"{tree.owner or 'its run'} is alive"),
        (tree.life is Life.UNKNOWN, f"{tree.owner or 'its run'} is on another machine"),
        (tree.run in retention.runs and tree.name == OWN, "its run can be resumed"),
        (tree.carries, "other worktrees are laid over it"),
        (now - tree.used < retention.newer_than, "it was used not long ago"),
        (retention.unsaved and tree.dirty, "it has changes that were not committed"),
        (retention.unsaved and tree.stray is not None, stray),
    )
    return next((reason for holds, reason in reasons if holds), None)
