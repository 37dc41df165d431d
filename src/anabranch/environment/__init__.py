"""Ports: small protocols over plain data, and the environments made of them.

An effect asks for no more than it uses: one that only runs commands needs `HasCommands`,
and any object with a `commands` attribute of that shape will do. `MapEnv` and `PhaseEnv`
name the combinations that the phases of a run use. Python has no intersection of two
protocols, so a combination is a named protocol that inherits its parts.

Every port method is `async`, takes one frozen request and returns a `returns` `Result`:
what can go wrong in a known way is a value, and an exception is a defect.
A mock is the same port with a function inside.
"""

from anabranch.environment.capabilities import (
    Environment,
    HasCommands,
    HasFiles,
    HasGit,
    HasJournal,
    HasMerges,
    HasWorktrees,
    MapEnv,
    PhaseEnv,
)
from anabranch.environment.commands import (
    Captured,
    CommandError,
    CommandFault,
    CommandOutput,
    CommandRunner,
    Invocation,
    OutputListener,
    ResourceUsage,
)
from anabranch.environment.files import (
    FileError,
    Files,
)
from anabranch.environment.journal import (
    Journal,
    JournalError,
    JournalFault,
)
from anabranch.environment.merges import (
    Conflict,
    Delivery,
    Merge,
    MergeError,
    MergeFault,
    MergeRequest,
    Merges,
    Trace,
)
from anabranch.environment.worktrees import (
    Advance,
    Changes,
    Oid,
    Worktree,
    WorktreeError,
    WorktreeFault,
    WorktreeRequest,
    Worktrees,
)

__all__ = [
    "Advance",
    "Captured",
    "Changes",
    "CommandError",
    "CommandFault",
    "CommandOutput",
    "CommandRunner",
    "Conflict",
    "Delivery",
    "Environment",
    "FileError",
    "Files",
    "HasCommands",
    "HasFiles",
    "HasGit",
    "HasJournal",
    "HasMerges",
    "HasWorktrees",
    "Invocation",
    "Journal",
    "JournalError",
    "JournalFault",
    "MapEnv",
    "Merge",
    "MergeError",
    "MergeFault",
    "MergeRequest",
    "Merges",
    "Oid",
    "OutputListener",
    "PhaseEnv",
    "ResourceUsage",
    "Trace",
    "Worktree",
    "WorktreeError",
    "WorktreeFault",
    "WorktreeRequest",
    "Worktrees",
]
