"""Worktrees of ours, found; and taken away, if that was the decision."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from attrs import evolve
from returns.pipeline import is_successful

from anabranch.environment import Oid
from anabranch.services.git.admin import Entry, entries
from anabranch.services.git.carrying import unchanged
from anabranch.services.git.cleaning import FoundTree, Judgement, Verdict
from anabranch.services.git.faults import Refused
from anabranch.services.git.overlays import carries, is_torn
from anabranch.services.git.registry import SPARE, Registry, path_of
from anabranch.services.git.removal import TRASH, erase
from anabranch.services.git.repository import GitRepository
from anabranch.services.git.room import bytes_below
from anabranch.services.git.runner import Git, GitError, paths
from anabranch.services.git.trees import Tree
from anabranch.services.locks import LockFault, acquire
from anabranch.services.owners import Life

_MISSING: Final = frozenset(" D")
_LIFE: Final = {LockFault.HELD: Life.ALIVE, LockFault.ELSEWHERE: Life.UNKNOWN}


def find_worktrees(repository: GitRepository, run: str | None = None) -> tuple[FoundTree, ...]:
    """The worktrees of runs in a repository, by run and name, whoever made them.

    Those whose process is gone are looked into for work that is nowhere else.

    Args:
        repository: where.
        run: the run whose worktrees are meant; `None` is all runs.
    """
    ours = [(entry, entry.reason) for entry in entries(repository.common) if entry.reason]
    known = [_found(repository, entry) for entry, reason in ours if run in (None, reason.run)]
    paths = {path_of(repository, entry, reason) for entry, reason in ours}
    places = [parts for parts in _places(repository.place, paths) if run in (None, parts[0])]
    unknown = [_unknown(repository, *parts) for parts in places]
    found = sorted((*known, *unknown), key=lambda tree: (tree.run, tree.name))
    return tuple(_looked_into(repository, tree) for tree in found)


def sweep(
    repository: GitRepository, judgements: Iterable[Judgement]
) -> tuple[tuple[Judgement, str | None], ...]:
    """Take away what may go, and what earlier removals left behind.

    A run that has come alive since it was judged is left alone.

    Returns:
        For each worktree that was to go, why it did not, or `None`.
    """
    going = [each for each in judgements if each.verdict is Verdict.REMOVE]
    done = tuple((each, _remove(repository, each.tree)) for each in going)
    if done:
        sweep_spares(repository)
    _empty_trash(repository)
    with suppress(OSError):
        os.rmdir(repository.place)
    return done


def sweep_spares(repository: GitRepository) -> None:
    """Take away the trees that killed runs left behind and that nobody ever worked in.

    What they had put away and not deleted yet goes, too.
    """
    # Those that carry others come last, when what they carried is gone.
    for entry in sorted(entries(repository.common), key=lambda entry: carries(entry.path)):
        reason = entry.reason
        if reason is not None and reason.tree.startswith(SPARE):
            found = _found(repository, entry)
            if found.life is Life.DEAD and not found.carries:
                _remove(repository, found)
    _empty_trash(repository)
    _drop_empty(repository.place)


def _drop_empty(place: str) -> None:
    """Remove what a run that was killed at its very end left of its directory."""
    with suppress(OSError):
        for run in os.listdir(place):
            with suppress(OSError):
                os.rmdir(os.path.join(place, run))
        os.rmdir(place)


def _found(repository: GitRepository, entry: Entry) -> FoundTree:
    reason = entry.reason
    assert reason is not None
    path = path_of(repository, entry, reason)
    return FoundTree(
        run=reason.run,
        name=reason.tree,
        path=path,
        admin=entry.admin,
        owner=reason.owner,
        life=_life(repository, reason.run),
        used=_used(entry.admin),
        carries=carries(path),
    )


def _unknown(repository: GitRepository, run: str, name: str) -> FoundTree:
    """A directory where our worktrees are, of which git knows nothing: half made, or half gone."""
    path = os.path.join(repository.place, run, name)
    life = _life(repository, run)
    return FoundTree(
        run=run, name=name, path=path, admin="", owner=None, life=life, used=_used(path)
    )


def _places(place: str, known: set[str]) -> Iterator[tuple[str, str]]:
    with suppress(FileNotFoundError, NotADirectoryError):
        for run in sorted(set(os.listdir(place)) - {TRASH}):
            for name in sorted(os.listdir(os.path.join(place, run))):
                if known.isdisjoint(os.path.join(place, run, n) for n in (name, name[1:])):
                    yield run, name


def _life(repository: GitRepository, run: str) -> Life:
    """Whether a process works on a run: it holds the run's lock for as long as it lives."""
    path = Path(lock_of(repository, run))
    if not path.exists():
        return Life.DEAD
    granted = acquire(path)
    if is_successful(granted):
        granted.unwrap().release()
        return Life.DEAD
    return _LIFE.get(granted.failure().fault, Life.UNKNOWN)


def lock_of(repository: GitRepository, run: str) -> str:
    """The file that the process of a run locks for as long as it lives."""
    return os.path.join(repository.state, "runs", run, "owner")


def _used(path: str) -> datetime:
    """The last change of a directory or of one of the files that git writes in it."""
    times = [0.0]
    for name in ("", "HEAD", "index"):
        with suppress(OSError):
            times.append(os.stat(os.path.join(path, name)).st_mtime)
    return datetime.fromtimestamp(max(times), UTC)


def _looked_into(repository: GitRepository, tree: FoundTree) -> FoundTree:
    sized = evolve(tree, size=bytes_below(tree.path))
    if tree.life is not Life.DEAD or not tree.admin or not os.path.isdir(tree.path):
        return sized
    if is_torn(tree.path):
        return evolve(sized, dirty=True)
    git = repository.trees.at(tree.path).with_environ(
        {"GIT_DIR": tree.admin, "GIT_WORK_TREE": tree.path}
    )
    stray = git.attempt("rev-list", "-n", "1", "HEAD", "--not", "--branches", "--tags", "--remotes")
    return evolve(sized, dirty=_is_dirty(git, tree), stray=Oid(stray.text) if stray.text else None)


def _is_dirty(git: Git, tree: FoundTree) -> bool:
    """Whether there is content that was not committed; files that are missing are none.

    A checkout that was killed has written files, but not yet the index.
    """
    with tempfile.TemporaryDirectory() as above:
        if not os.path.exists(os.path.join(tree.admin, "index")):
            git = git.with_environ({"GIT_INDEX_FILE": os.path.join(above, "index")})
            git.attempt("read-tree", "HEAD")
        status = git.attempt("status", "--porcelain", "-z", "--no-renames", "-uall")
    changed = {line[3:] for line in paths(status.stdout) if not _MISSING.issuperset(line[:2])}
    return not changed <= unchanged(tree.admin, tree.path)


def _remove(repository: GitRepository, tree: FoundTree) -> str | None:
    path = Path(lock_of(repository, tree.run))
    path.parent.mkdir(parents=True, exist_ok=True)
    granted = acquire(path)
    if not is_successful(granted):
        return granted.failure().message
    with granted.unwrap():
        try:
            Registry(repository=repository, run=tree.run).strike(
                Tree(path=tree.path, admin=tree.admin)
            )
        except (Refused, GitError, OSError) as error:
            return str(error)
    return None


def _empty_trash(repository: GitRepository) -> None:
    """Delete what is nobody's any more, also beside somebody who is just about to."""
    for place in (repository.place, repository.state):
        trash = os.path.join(place, TRASH)
        with suppress(OSError):
            for name in os.listdir(trash):
                erase(os.path.join(trash, name))
            os.rmdir(trash)
