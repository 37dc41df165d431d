"""The words everyone shares: errors, hints, durations, statuses, lines, JSON."""

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
from anabranch.values.excerpts import Masked, in_one_line, last_of, shortened
from anabranch.values.json import Json
from anabranch.values.lines import LONGEST_LINE, indented, lines_of, split_lines
from anabranch.values.statuses import RunStatus, StepStatus
from anabranch.values.suggestions import did_you_mean

__all__ = [
    "LONGEST_LINE",
    "AnabranchError",
    "ConfigError",
    "HostError",
    "Json",
    "Location",
    "Masked",
    "Problem",
    "RunError",
    "RunStatus",
    "Severity",
    "StepStatus",
    "UsageError",
    "did_you_mean",
    "format_duration",
    "in_one_line",
    "indented",
    "last_of",
    "lines_of",
    "parse_duration",
    "shortened",
    "split_lines",
]
