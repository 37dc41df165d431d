"""Git: worktrees and merges, the ports of `anabranch.environment` made real."""

from anabranch.services.git.abandoned import release_abandoned
from anabranch.services.git.cleaning import (
    FoundTree,
    Judgement,
    Retention,
    Verdict,
    plan_cleaning,
)
from anabranch.services.git.remains import Swept, remains_of, sweep_run
from anabranch.services.git.repository import OLDEST_GIT, GitRepository
from anabranch.services.git.room import worktrees_within_budget
from anabranch.services.git.runs import GitRun, git_run
from anabranch.services.git.sweeping import find_worktrees, sweep

__all__ = [
    "OLDEST_GIT",
    "FoundTree",
    "GitRepository",
    "GitRun",
    "Judgement",
    "Retention",
    "Swept",
    "Verdict",
    "find_worktrees",
    "git_run",
    "plan_cleaning",
    "release_abandoned",
    "remains_of",
    "sweep",
    "sweep_run",
    "worktrees_within_budget",
]
