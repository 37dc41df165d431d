"""What a simulated process leaves to be read."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from anabranch.effects.work import execute
from anabranch.environment import Invocation
from anabranch.testing import run_virtual
from anabranch.testing.git import memory_repository
from anabranch.testing.simulation import Chance, Process
from anabranch.testing.simulation.processes import KEPT, SimulatedCommands


@pytest.mark.parametrize("size", [0, 10, KEPT, KEPT + 10])
def test_what_a_process_says_after_a_flood_is_the_end_of_its_output(size: int) -> None:
    commands = SimulatedCommands(
        scripts={"*": Process(floods=size, stdout="mud")},
        repository=memory_repository(),
        chance=Chance(),
    )
    asked = execute(Invocation(argv=("flood",), cwd="/project"))
    stdout = run_virtual(asked, SimpleNamespace(commands=commands)).result.unwrap().stdout
    assert size + 3 == stdout.size
    assert (size <= KEPT) == stdout.complete
    assert stdout.text.endswith("mud")
