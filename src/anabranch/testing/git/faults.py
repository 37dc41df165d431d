"""What can go wrong with git, on order; and what the model does not know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeAlias

from attrs import frozen


class NotModelled(Exception):  # noqa: N818 - not an error of git: the model ends here
    """Git would have an answer; the model cannot be sure which, and says so."""


class GitFault(StrEnum):
    """What can go wrong on order.

    `lock_held`: a lock file of somebody else. `half_way`: an operation stops in the middle of
    its work. `no_space`: the disk is full. `moved`: a branch moved at every try.
    """

    LOCK_HELD = "lock_held"
    HALF_WAY = "half_way"
    NO_SPACE = "no_space"
    MOVED = "moved"


@frozen
class Operation:
    """Something that git is asked for: the name of the port's method, and of the tree or branch."""

    method: str
    name: str


Faults: TypeAlias = Callable[[Operation], GitFault | None]
"""Says for each operation, when it is about to be done, what goes wrong with it."""

SAID: Mapping[GitFault, str] = {
    GitFault.LOCK_HELD: "Unable to create '.git/index.lock': File exists.",
    GitFault.HALF_WAY: "git stopped half way",
    GitFault.NO_SPACE: "No space left on device",
    GitFault.MOVED: "the branch moved 5 times meanwhile",
}


def none(operation: Operation) -> None:
    """Nothing goes wrong."""
    del operation


def planned(*faults: tuple[str, str, GitFault]) -> Faults:
    """Faults in a list: method, name of the tree or branch, and what goes wrong, once each.

    >>> faults = planned(("create", "agent-0", GitFault.NO_SPACE))
    >>> faults(Operation("create", "agent-0")), faults(Operation("create", "agent-0"))
    (<GitFault.NO_SPACE: 'no_space'>, None)
    """
    left = list(faults)

    def choose(operation: Operation) -> GitFault | None:
        for entry in left:
            if (operation.method, operation.name) == entry[:2]:
                left.remove(entry)
                return entry[2]
        return None

    return choose
