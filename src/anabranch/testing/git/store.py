"""The one thing that changes: which state a repository is in."""

from __future__ import annotations

from typing import Final

from attrs import define, field

from anabranch.environment import Oid
from anabranch.testing.git.faults import Faults, GitFault, Operation, none
from anabranch.testing.git.state import GitState

HOME: Final = "/repository"
"""The user's own working tree."""


@define
class Store:
    """A repository as it is now.

    Attributes:
        state: everything there is.
        faults: says what goes wrong, of what is asked for.
    """

    state: GitState
    faults: Faults = field(default=none, repr=False)

    def commit_at(self, revision: str) -> Oid | None:
        """The commit of a branch or an id; of `HEAD`, that of the user's working tree."""
        return self.state.commit_at(revision, HOME)

    def fault(self, method: str, name: str) -> GitFault | None:
        """What is to go wrong with an operation that is about to be done."""
        return self.faults(Operation(method, name))
