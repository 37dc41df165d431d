"""What every implementation of a port must do: laws to be checked against yours."""

from anabranch.testing.conformance.commands import RunnerMaker, check_command_runner
from anabranch.testing.conformance.effects import check_effect_laws
from anabranch.testing.conformance.environments import EnvironmentMaker, check_environment_laws
from anabranch.testing.conformance.files import check_files
from anabranch.testing.conformance.git import Hand, check_git
from anabranch.testing.conformance.journal import check_journal

__all__ = [
    "EnvironmentMaker",
    "Hand",
    "RunnerMaker",
    "check_command_runner",
    "check_effect_laws",
    "check_environment_laws",
    "check_files",
    "check_git",
    "check_journal",
]
