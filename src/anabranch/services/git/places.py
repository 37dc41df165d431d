"""Where worktrees are kept.

Not inside the user's working tree, its `.git` included: tools that look upwards for their
configuration (package managers, linters, workspaces) would find the user's files there and
mix the two. Beside the repository, as git's own manual does it, they find what they would
find from the repository itself, on the same file system, in a path without hidden parts.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from attrs import frozen

_PART: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")


@frozen(kw_only=True)
class Surroundings:
    """What is known of the directory that holds a repository.

    Attributes:
        home: the top of the user's main working tree, or a bare repository's directory.
        common: git's directory, shared by all worktrees.
        writable: whether the directory that holds `home` can be written to.
        same_device: whether it is on the same file system as `home`.
        tracked: whether it is inside a working tree itself: that of an outer repository.
        taken: whether something that is no directory is where ours would be.
    """

    home: str
    common: str
    writable: bool
    same_device: bool
    tracked: bool
    taken: bool


def place_for(surroundings: Surroundings) -> str:
    """The directory for all worktrees of a repository: beside it, or else in git's directory.

    >>> place_for(Surroundings(home="/src/shop", common="/src/shop/.git",
    ...                        writable=True, same_device=True, tracked=False,
    ...                        taken=False))
    '/src/shop.anabranch'
    """
    fits = surroundings.writable and surroundings.same_device
    if fits and not (surroundings.tracked or surroundings.taken):
        return _beside(surroundings.home)
    return os.path.join(surroundings.common, "anabranch", "worktrees")


def _beside(home: str) -> str:
    return f"{home.rstrip('/')}.anabranch"


def survey(home: str, common: str) -> Surroundings:
    """Look at the directory that holds a repository."""
    parent = Path(home).parent
    return Surroundings(
        home=home,
        common=common,
        writable=os.access(parent, os.W_OK | os.X_OK),
        same_device=_device(parent) == _device(Path(home)),
        taken=os.path.exists(_beside(home)) and not os.path.isdir(_beside(home)),
        tracked=any((above / ".git").exists() for above in (parent, *parent.parents)),
    )


def _device(path: Path) -> int:
    return path.stat().st_dev


def is_safe_part(name: str) -> bool:
    """Whether a name can be one part of a path and of a branch on every file system.

    >>> is_safe_part("agent-0"), is_safe_part("../etc"), is_safe_part("a.lock")
    (True, False, False)
    """
    fits = _PART.fullmatch(name) is not None and ".." not in name
    return fits and not name.endswith((".", ".lock"))
