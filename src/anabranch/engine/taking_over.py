"""What a dead process of a run left alive, or locked, before anybody goes on with the run."""

from __future__ import annotations

from datetime import datetime

from anabranch.services.git import GitRepository, release_abandoned
from anabranch.services.processes import end_processes_of


def end_what_was_left(repository: GitRepository, run: str, since: datetime) -> tuple[str, ...]:
    """End the processes of a run whose own process is gone, then release their locks of git.

    Args:
        repository: where.
        run: the run, which nobody else works on.
        since: when it was begun.

    Returns:
        The paths of the locks.
    """
    end_processes_of(run)
    return release_abandoned(repository, run, since)
