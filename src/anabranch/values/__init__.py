"""The words everyone shares: errors, hints, durations, statuses, JSON."""

from anabranch.values.durations import format_duration, parse_duration
from anabranch.values.errors import (
    AnabranchError,
    ConfigError,
    HostError,
    Location,
    Problem,
    RunError,
    Severity,
    UsageError,
)
from anabranch.values.json import Json
from anabranch.values.statuses import RunStatus, StepStatus
from anabranch.values.suggestions import did_you_mean

__all__ = [
    "AnabranchError",
    "ConfigError",
    "HostError",
    "Json",
    "Location",
    "Problem",
    "RunError",
    "RunStatus",
    "Severity",
    "StepStatus",
    "UsageError",
    "did_you_mean",
    "format_duration",
    "parse_duration",
]
