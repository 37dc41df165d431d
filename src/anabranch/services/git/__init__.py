"""Git: worktrees and merges, the ports of `anabranch.environment` made real."""

from anabranch.services.git.repository import OLDEST_GIT, GitRepository
from anabranch.services.git.runs import GitRun, git_run

__all__ = ["OLDEST_GIT", "GitRepository", "GitRun", "git_run"]
