"""A git in memory: the same trees, merges, conflicts and refusals, without git and without files."""

from anabranch.testing.git.faults import GitFault, NotModelled, Operation, planned
from anabranch.testing.git.merges import MemoryMerges
from anabranch.testing.git.repository import (
    MemoryRepository,
    MemoryRun,
    MemoryTree,
    memory_repository,
)
from anabranch.testing.git.state import GitState
from anabranch.testing.git.worktrees import MemoryWorktrees

__all__ = [
    "GitFault",
    "GitState",
    "MemoryMerges",
    "MemoryRepository",
    "MemoryRun",
    "MemoryTree",
    "MemoryWorktrees",
    "NotModelled",
    "Operation",
    "memory_repository",
    "planned",
]
