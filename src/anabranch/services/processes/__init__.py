"""Processes: started, listened to, and ended together with everything they started."""

from anabranch.services.processes.capture import Limits
from anabranch.services.processes.child import Containment
from anabranch.services.processes.choice import BestContainment
from anabranch.services.processes.group import GroupContainment
from anabranch.services.processes.handing import HandingFiles
from anabranch.services.processes.logs import logs_of
from anabranch.services.processes.reaper import ReaperContainment
from anabranch.services.processes.runner import LocalCommands
from anabranch.services.processes.survivors import end_processes_of, processes_of

__all__ = [
    "BestContainment",
    "Containment",
    "GroupContainment",
    "HandingFiles",
    "Limits",
    "LocalCommands",
    "ReaperContainment",
    "end_processes_of",
    "logs_of",
    "processes_of",
]
