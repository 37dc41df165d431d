"""Test pipelines without git, without processes and without waiting."""

from anabranch.interpreters.virtual import (
    Cancelled,
    DeadlockError,
    VirtualRun,
    run_virtual,
    virtual_sleep,
)
from anabranch.testing.mocks import (
    Answering,
    MockEnvironment,
    UnexpectedCommand,
    mock_env,
    printed,
)

__all__ = [
    "Answering",
    "Cancelled",
    "DeadlockError",
    "MockEnvironment",
    "UnexpectedCommand",
    "VirtualRun",
    "mock_env",
    "printed",
    "run_virtual",
    "virtual_sleep",
]
