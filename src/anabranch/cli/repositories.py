"""The repository that a command works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anabranch.values import ConfigError, Location, Problem

if TYPE_CHECKING:
    from anabranch.services.git import GitRepository


def read_committed(repository: GitRepository, path: str) -> bytes:
    """Read a file of the commit that is checked out.

    Raises:
        ConfigError: there is none; a run would not find it either.
    """
    read = repository.git.attempt("cat-file", "blob", f"HEAD:./{path}")
    if read.code == 0:
        return read.stdout
    raise ConfigError(
        Problem(
            code="no-input",
            message="the input of the map phase is in no commit",
            where=Location(path="map.input"),
            value=path,
            hint="commit it, or let a step of `setup` write it",
        )
    )
