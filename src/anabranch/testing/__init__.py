"""Test pipelines without git, without processes and without waiting."""

from anabranch.interpreters.strands import Gate, virtual_sleep
from anabranch.interpreters.virtual import (
    Cancelled,
    DeadlockError,
    LivelockError,
    VirtualRun,
    run_virtual,
)
from anabranch.testing.mocks import (
    Answering,
    MockEnvironment,
    UnexpectedCommand,
    mock_env,
    printed,
    said,
    text_of,
)

__all__ = [
    "Answering",
    "Cancelled",
    "DeadlockError",
    "Gate",
    "LivelockError",
    "MockEnvironment",
    "UnexpectedCommand",
    "VirtualRun",
    "mock_env",
    "printed",
    "run_virtual",
    "said",
    "text_of",
    "virtual_sleep",
]
