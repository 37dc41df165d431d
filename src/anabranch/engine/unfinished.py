"""Which runs of a repository did not come to their end, and can be resumed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from anabranch.lifecycle import RUN_TERMINAL
from anabranch.services.git import GitRepository
from anabranch.services.journal import read_summary
from anabranch.values import HostError


def unfinished_runs(repository: GitRepository) -> frozenset[str]:
    """The ids of runs whose journal does not tell of their end.

    One whose journal cannot be read counts as unfinished: nobody knows better.
    """
    return frozenset(_unfinished(Path(repository.state, "runs")))


def _unfinished(runs: Path) -> Iterator[str]:
    with suppress(FileNotFoundError):
        for directory in sorted(runs.iterdir()):
            try:
                ended = read_summary(directory).status in RUN_TERMINAL
            except FileNotFoundError:
                continue
            except (OSError, HostError):
                ended = False
            if not ended:
                yield directory.name
