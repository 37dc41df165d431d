"""What every implementation of a port must do: laws to be checked against yours."""

from anabranch.testing.conformance.commands import RunnerMaker, check_command_runner

__all__ = ["RunnerMaker", "check_command_runner"]
