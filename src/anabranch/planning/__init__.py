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
from anabranch.planning.json_order import identity_key, order_key
from anabranch.planning.json_path import JsonPath, select_items
from anabranch.planning.retries import (
    GiveUp,
    GiveUpReason,
    Retry,
    RetryDecision,
    RetryPolicy,
)
from anabranch.planning.sorting import SortKey, parse_sort, sort_items
from anabranch.planning.work import (
    MapConfig,
    WorkAssignment,
    assign_items,
    distinct_items,
    filter_items,
    limit_items,
    offset_items,
    plan_work_assignments,
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
    "JsonPath",
    "Linear",
    "MapConfig",
    "Resource",
    "Retry",
    "RetryDecision",
    "RetryPolicy",
    "SortKey",
    "WorkAssignment",
    "access_of",
    "analyze_dependencies",
    "assign_items",
    "clashes",
    "distinct_items",
    "filter_items",
    "identity_key",
    "limit_items",
    "offset_items",
    "order_key",
    "parse_resource",
    "parse_sort",
    "plan_work_assignments",
    "select_items",
    "sort_items",
    "undeclared_writes",
]
