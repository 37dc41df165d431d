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
from anabranch.planning.admission import Admission, Request, Usage, admit, ended, may_start, started
from anabranch.planning.agents import AGENTS, AgentCall, AgentReport, AgentTemplate, read_report
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
from anabranch.planning.differences import Change, ChangeKind, differences
from anabranch.planning.estimates import Estimate, EstimateSource, estimate_durations
from anabranch.planning.graph import CommandGraph, analyze_dependencies
from anabranch.planning.items import ItemFormat, format_of, read_document, read_output
from anabranch.planning.json_order import identity_key, order_key
from anabranch.planning.json_path import JsonPath, select_items
from anabranch.planning.json_text import is_json, read_json
from anabranch.planning.resources import Claim, Limits, RateLimit, claim_problems, merged_claims
from anabranch.planning.retries import GiveUp, GiveUpReason, Retry, RetryDecision, RetryPolicy
from anabranch.planning.schedule import (
    Forecast,
    Schedule,
    enough_slots,
    forecast_slots,
    most_urgent_first,
    plan_schedule,
)
from anabranch.planning.schemas import Doubt, SchemaDifference, schema_differences
from anabranch.planning.serialisation import from_json, to_json
from anabranch.planning.sorting import SortKey, parse_sort, sort_items
from anabranch.planning.step_graph import StepGraph, StepKind, StepNode
from anabranch.planning.validation import SizeLimits, Strictness, validate_steps
from anabranch.planning.verification import batch_violations, schedule_violations
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
    "AGENTS",
    "EVERYTHING",
    "NOTHING",
    "AccessSet",
    "Admission",
    "AgentCall",
    "AgentReport",
    "AgentTemplate",
    "Backoff",
    "Change",
    "ChangeKind",
    "Claim",
    "Clash",
    "ClashKind",
    "Command",
    "CommandGraph",
    "CriticalPath",
    "Custom",
    "Doubt",
    "Duration",
    "Estimate",
    "EstimateSource",
    "Exponential",
    "Fibonacci",
    "Fixed",
    "Forecast",
    "GiveUp",
    "GiveUpReason",
    "ItemFormat",
    "JsonPath",
    "Limits",
    "Linear",
    "MapConfig",
    "RateLimit",
    "Request",
    "Resource",
    "Retry",
    "RetryDecision",
    "RetryPolicy",
    "Schedule",
    "SchemaDifference",
    "SizeLimits",
    "SortKey",
    "StepGraph",
    "StepKind",
    "StepNode",
    "Strictness",
    "Usage",
    "WorkAssignment",
    "access_of",
    "admit",
    "analyze_dependencies",
    "assign_items",
    "batch_violations",
    "claim_problems",
    "clashes",
    "differences",
    "distinct_items",
    "ended",
    "enough_slots",
    "estimate_durations",
    "filter_items",
    "forecast_slots",
    "format_of",
    "from_json",
    "identity_key",
    "is_json",
    "limit_items",
    "may_start",
    "merged_claims",
    "most_urgent_first",
    "offset_items",
    "order_key",
    "parse_resource",
    "parse_sort",
    "plan_schedule",
    "plan_work_assignments",
    "read_document",
    "read_json",
    "read_output",
    "read_report",
    "schedule_violations",
    "schema_differences",
    "select_items",
    "sort_items",
    "started",
    "to_json",
    "undeclared_writes",
    "validate_steps",
]
