"""Test pipelines without git, without processes and without waiting."""

from anabranch.testing.mocks import (
    Answering,
    MockEnvironment,
    UnexpectedCommand,
    mock_env,
    printed,
)

__all__ = ["Answering", "MockEnvironment", "UnexpectedCommand", "mock_env", "printed"]
