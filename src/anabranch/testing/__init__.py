"""Test pipelines without git, without processes and without waiting."""

from anabranch.interpreters.strands import Gate, virtual_sleep
from anabranch.interpreters.virtual import (
    Cancelled,
    DeadlockError,
    LivelockError,
    VirtualRun,
    run_virtual,
)
from anabranch.testing.git import GitFault, MemoryRepository, NotModelled, memory_repository
from anabranch.testing.mocks import (
    MockEnvironment,
    NotUsedUp,
    Unexpected,
    after,
    conflict,
    fits,
    in_order,
    like,
    mock_env,
    printed,
    said,
    text_of,
)

__all__ = [
    "Cancelled",
    "DeadlockError",
    "Gate",
    "GitFault",
    "LivelockError",
    "MemoryRepository",
    "MockEnvironment",
    "NotModelled",
    "NotUsedUp",
    "Unexpected",
    "VirtualRun",
    "after",
    "conflict",
    "fits",
    "in_order",
    "like",
    "memory_repository",
    "mock_env",
    "printed",
    "run_virtual",
    "said",
    "text_of",
    "virtual_sleep",
]
