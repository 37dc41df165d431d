"""The strongest containment that a machine permits, found out when the first command starts."""

from __future__ import annotations

from typing import final

from returns.result import Result

from anabranch.planning.machine import Strength
from anabranch.services.processes.cgroups import own_cgroup
from anabranch.services.processes.child import Child, Refusal, Start
from anabranch.services.processes.group import GroupContainment
from anabranch.services.processes.reaper import ReaperContainment, UnavailableError


@final
class BestContainment:
    """Subreapers, in cgroups where they can be made; sessions and groups where neither is possible.

    Attributes:
        reason: why it is sessions and groups; `None` while it is not.
    """

    def __init__(self) -> None:
        self._reaper = ReaperContainment(own_cgroup())
        self._group = GroupContainment()
        self.reason: str | None = None

    async def start(self, start: Start) -> Result[Child, Refusal]:
        """Start a process in a session without a terminal."""
        if self.reason is None:
            try:
                return await self._reaper.start(start)
            except UnavailableError as error:
                self.reason = str(error)
        return await self._group.start(start)

    def prepare(self) -> None:
        """Commands will come: begin with what they need, and do not wait for it."""
        self._reaper.prepare()

    def strength(self) -> tuple[Strength, str | None]:
        """What this machine permits, found out by trying, and why not more."""
        try:
            strength = self._reaper.strength()
        except (UnavailableError, OSError) as error:
            return Strength.GROUP, str(error)
        finally:
            self._reaper.close()
        reason = None if strength is Strength.CGROUP else "no cgroup can be made here"
        return strength, reason

    def close(self) -> None:
        """End whatever is left of what was started, at once, as far as it can be found."""
        self._reaper.close()
        self._group.close()
