"""Runs on this machine: the environment composed, the program interpreted."""

from anabranch.engine.cancelling import Cancellation, LocalCancellation
from anabranch.engine.letters import LocalRetry, discard_letters, letters_named
from anabranch.engine.local import (
    Listener,
    Local,
    LocalResumption,
    LocalRun,
    local_environment,
    new_run_id,
    open_repository,
    run_in_repository,
)
from anabranch.engine.taking_over import end_what_was_left
from anabranch.engine.unfinished import unfinished_runs

__all__ = [
    "Cancellation",
    "Listener",
    "Local",
    "LocalCancellation",
    "LocalResumption",
    "LocalRetry",
    "LocalRun",
    "discard_letters",
    "end_what_was_left",
    "letters_named",
    "local_environment",
    "new_run_id",
    "open_repository",
    "run_in_repository",
    "unfinished_runs",
]
