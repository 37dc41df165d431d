"""What was committed in the submodules of a worktree, kept when the worktree goes.

Git clones a submodule for each linked worktree anew, into the worktree's own directory. What an
agent committed there is nowhere else until somebody pushes it, while the agent's commit points to
it. So the commits go to where `git submodule update` in the user's checkout looks for them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from anabranch.services.git.runner import Git

_MODULES: Final = "modules"
_KEPT: Final = "refs/anabranch/"


def keep_submodules(git: Git, common: str, admin: str) -> None:
    """Take what a worktree's submodules stand on over into those of the repository.

    Args:
        git: of the repository.
        common: git's directory.
        admin: its directory for the worktree.
    """
    for path in list(_clones(os.path.join(admin, _MODULES))):
        kept = os.path.join(common, _MODULES, os.path.relpath(path, os.path.join(admin, _MODULES)))
        with suppress(OSError):
            if not os.path.isdir(kept):
                os.makedirs(os.path.dirname(kept), exist_ok=True)
                os.rename(path, kept)
        with suppress(OSError):
            _take_over(git.inside(path), git.inside(kept))


def _take_over(clone: Git, kept: Git) -> None:
    """Fetch the commit that a clone stands on, unless a ref holds it; `update` asks for a ref."""
    head = clone.attempt("rev-parse", "--verify", "HEAD").text
    held = kept.attempt("rev-list", "-n", "1", head, "--not", "--all")
    if head and (held.code != 0 or held.stdout):
        kept.attempt("fetch", "--quiet", "--no-tags", clone.directory, f"HEAD:{_KEPT}{head}")


def _clones(directory: str) -> Iterator[str]:
    """The git directories below one, those inside another after it: they may go with it."""
    with suppress(OSError):
        for name in os.listdir(directory):
            path = os.path.join(directory, name)
            if os.path.isfile(os.path.join(path, "HEAD")):
                yield path
                yield from _clones(os.path.join(path, _MODULES))
            elif os.path.isdir(path):
                yield from _clones(path)
