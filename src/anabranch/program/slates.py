"""What the steps of one list leave for later ones of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from anabranch.lifecycle import Subject
from anabranch.program.git_state import GitState
from anabranch.values import Json

STATE: Final = "step"
"""The name under which a step finds the git state of the one before it."""

_UNCHANGED: Final = GitState().as_data()


def captured_in(phase: str, subjects: Mapping[str, Subject]) -> dict[str, Json]:
    """What the steps of a phase captured, as a journal says."""
    steps = (s for s in subjects.values() if s.declared.phase == phase)
    found = (item for step in steps for item in step.work.outputs.items())
    return {name: value for name, value in found if name != STATE}


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
        self.names: dict[str, Json] = {STATE: _UNCHANGED}
        self.uncommitted: Mapping[str, str] | None = None

    @property
    def captured(self) -> dict[str, Json]:
        """What was captured, which the steps of later phases know too."""
        return {name: value for name, value in self.names.items() if name != STATE}

    def leave(self, outputs: Mapping[str, Json]) -> None:
        """Keep what a step leaves for those after it."""
        self.names.update(outputs)

    def __repr__(self) -> str:
        return f"Slate({self.names!r})"
