"""What the steps of one list leave for later ones of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from anabranch.program.git_state import GitState
from anabranch.values import Json

STATE: Final = "step"
"""The name under which a step finds the git state of the one before it."""


@final
class Slate:
    """Written and read by the steps of a list while they run; each run of a list has a new one.

    The order in which it is used is that of the dependencies: a step that reads what another
    writes comes after it, so no schedule changes what is found here.

    Args:
        watched: whether a step of the list asks what those before it left uncommitted.

    Attributes:
        names: what has been left so far, for templates and conditions.
        uncommitted: what the last step that was watched left uncommitted, if one was.
    """

    def __init__(self, *, watched: bool = False) -> None:
        self.watched = watched
        self.names: dict[str, Json] = {STATE: GitState().as_data()}
        self.uncommitted: Mapping[str, str] | None = None

    def leave(self, outputs: Mapping[str, Json]) -> None:
        """Keep what a step leaves for those after it."""
        self.names.update(outputs)

    def __repr__(self) -> str:
        return f"Slate({self.names!r})"
