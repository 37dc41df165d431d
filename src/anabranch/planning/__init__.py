"""What will run, in which order and with which limits: decided purely, as values."""

from anabranch.planning.backoff import (
    Backoff,
    Custom,
    Duration,
    Exponential,
    Fibonacci,
    Fixed,
    Linear,
)
from anabranch.planning.retries import (
    GiveUp,
    GiveUpReason,
    Retry,
    RetryDecision,
    RetryPolicy,
)

__all__ = [
    "Backoff",
    "Custom",
    "Duration",
    "Exponential",
    "Fibonacci",
    "Fixed",
    "GiveUp",
    "GiveUpReason",
    "Linear",
    "Retry",
    "RetryDecision",
    "RetryPolicy",
]
