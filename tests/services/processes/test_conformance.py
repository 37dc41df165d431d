from __future__ import annotations

from pathlib import Path

import pytest

from anabranch.services.processes import GroupContainment, LocalCommands, ReaperContainment
from anabranch.testing import mock_env
from anabranch.testing.conformance import check_command_runner

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("containment", [GroupContainment, ReaperContainment])
async def test_processes_obey_the_laws_of_commands(
    tmp_path: Path, containment: type[GroupContainment | ReaperContainment]
) -> None:
    await check_command_runner(
        lambda _: LocalCommands(containment=containment()), cwd=str(tmp_path)
    )


async def test_a_mock_obeys_the_laws_of_commands() -> None:
    await check_command_runner(lambda answers: mock_env(commands=answers).commands)


async def test_a_runner_that_breaks_a_law_is_told_which() -> None:
    with pytest.raises(AssertionError, match=r"came .* expected"):
        await check_command_runner(lambda _: mock_env().commands)
