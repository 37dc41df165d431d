"""The runs of a repository, as their directories tell: which there are, and who works on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import frozen

from anabranch.lifecycle import Summary, broken_off
from anabranch.services.journal import ACTIVE, read_summary
from anabranch.services.locks import owner_of
from anabranch.services.owners import Life, Owner, life_of
from anabranch.values import Problem, RunStatus, UsageError, did_you_mean

RUNS: Final = "runs"
OWNER: Final = "owner"


@frozen(kw_only=True)
class FoundRun:
    """A run of a repository.

    Attributes:
        run: its id.
        directory: where its journal and its logs are.
        summary: the run at a glance.
        owner: the process that works on it, or did at last; `None` if nobody signed.
        life: whether that process lives.
    """

    run: str
    directory: Path
    summary: Summary
    owner: Owner | None
    life: Life

    @property
    def has_begun(self) -> bool:
        """Whether its journal tells of more than that it was opened."""
        return bool(self.summary.workflow)

    @property
    def is_alive(self) -> bool:
        """Whether a process works on it at this moment."""
        owner = owner_of(self.directory / OWNER)
        return owner is not None and life_of(owner) is Life.ALIVE

    @property
    def status(self) -> RunStatus:
        """Where the run stands. What nobody works on any more is interrupted, unless it ended."""
        return self.summary.status


def run_ids(state: str) -> list[str]:
    """The ids of all runs of a repository, newest first.

    Args:
        state: anabranch's own directory in the repository.
    """
    found = Path(state, RUNS).glob(f"*/{ACTIVE}")
    return sorted((path.parent.name for path in found), reverse=True)


def run_directory(state: str, run: str) -> Path:
    """Where the journal and the logs of a run are."""
    return Path(state, RUNS, run)


def read_run(state: str, run: str) -> FoundRun:
    """Look at one run.

    Raises:
        UsageError: there is no such run.
        HostError: its journal is damaged.
    """
    require_run(state, run)
    return _look_at(state, run)


def _look_at(state: str, run: str) -> FoundRun:
    """Look at a run that is there."""
    directory = run_directory(state, run)
    owner = owner_of(directory / OWNER)
    life = Life.DEAD if owner is None else life_of(owner)
    summary = read_summary(directory)
    return FoundRun(
        run=run,
        directory=directory,
        summary=broken_off(summary) if life is Life.DEAD else summary,
        owner=owner,
        life=life,
    )


def read_runs(state: str) -> Iterator[FoundRun]:
    """Look at all runs, newest first, each when it is asked for.

    Raises:
        HostError: a journal is damaged.
    """
    return (_look_at(state, run) for run in run_ids(state))


def newest_run(state: str, status: RunStatus | None = None) -> FoundRun:
    """Look at the newest run that had begun, or the newest of those that stands somewhere.

    If none had begun, any will do, unless it is to stand somewhere.

    Raises:
        UsageError: there is none.
        HostError: a journal is damaged.
    """
    for found in read_runs(state):
        if found.has_begun and status in {None, found.status}:
            return found
    if status is None and (unbegun := next(read_runs(state), None)) is not None:
        return unbegun
    which = "" if status is None else f" {status.value}"
    raise UsageError.of("no-run", f"there is no{which} run in this repository")


def require_run(state: str, run: str) -> None:
    """Make sure that there is a run.

    Raises:
        UsageError: there is none of that id.
    """
    known = run_ids(state)
    if run not in known:
        hint = did_you_mean(run, known) or "`anabranch runs` lists them"
        problem = Problem(code="no-run", message="there is no such run", value=run, hint=hint)
        raise UsageError(problem)
