"""Capabilities: what an environment can be asked for, and the combinations that runs use."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

from anabranch.environment.commands import CommandRunner
from anabranch.environment.files import Files
from anabranch.environment.journal import Journal
from anabranch.environment.merges import Merges
from anabranch.environment.worktrees import Worktrees


class HasWorktrees(Protocol):
    """An environment with worktrees."""

    @property
    def worktrees(self) -> Worktrees:
        """The worktrees port."""
        ...


class HasCommands(Protocol):
    """An environment with commands."""

    @property
    def commands(self) -> CommandRunner:
        """The commands port."""
        ...


class HasMerges(Protocol):
    """An environment with merges."""

    @property
    def merges(self) -> Merges:
        """The merges port."""
        ...


class HasFiles(Protocol):
    """An environment with files."""

    @property
    def files(self) -> Files:
        """The files port."""
        ...


class HasJournal(Protocol):
    """An environment with a journal."""

    @property
    def journal(self) -> Journal:
        """The journal port."""
        ...


class HasGit(HasWorktrees, HasMerges, Protocol):
    """An environment with worktrees and merges."""


class PhaseEnv(HasCommands, HasFiles, HasJournal, Protocol):
    """What a phase without worktrees of its own needs: setup, reduce."""


class MapEnv(HasGit, PhaseEnv, Protocol):
    """What a map phase needs: a tree for each agent, commands in it, a merge of it."""


@frozen(kw_only=True)
class Environment:
    """The ports, gathered. It is a `MapEnv` and a `PhaseEnv`."""

    worktrees: Worktrees
    commands: CommandRunner
    merges: Merges
    files: Files
    journal: Journal
