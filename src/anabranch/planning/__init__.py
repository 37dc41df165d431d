"""What will run, in which order and with which limits: decided purely, as values."""

from anabranch.planning.access import (
    EVERYTHING,
    NOTHING,
    AccessSet,
    Clash,
    ClashKind,
    Resource,
    clashes,
    parse_resource,
    undeclared_writes,
)
from anabranch.planning.backoff import (
    Backoff,
    Custom,
    Duration,
    Exponential,
    Fibonacci,
    Fixed,
    Linear,
)
from anabranch.planning.command_access import access_of
from anabranch.planning.commands import Command
from anabranch.planning.critical_path import CriticalPath
from anabranch.planning.graph import CommandGraph, analyze_dependencies
from anabranch.planning.retries import (
    GiveUp,
    GiveUpReason,
    Retry,
    RetryDecision,
    RetryPolicy,
)

__all__ = [
    "EVERYTHING",
    "NOTHING",
    "AccessSet",
    "Backoff",
    "Clash",
    "ClashKind",
    "Command",
    "CommandGraph",
    "CriticalPath",
    "Custom",
    "Duration",
    "Exponential",
    "Fibonacci",
    "Fixed",
    "GiveUp",
    "GiveUpReason",
    "Linear",
    "Resource",
    "Retry",
    "RetryDecision",
    "RetryPolicy",
    "access_of",
    "analyze_dependencies",
    "clashes",
    "parse_resource",
    "undeclared_writes",
]
