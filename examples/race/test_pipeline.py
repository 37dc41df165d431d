"""Ten lines that find the race."""

from __future__ import annotations

from pipeline import CHANGELOG, collect, collect_in_one_go

from anabranch.testing import MockEnvironment, mock_env, printed
from anabranch.testing.simulation import Chance, Run, Sim

PARTS = ["api", "cli", "docs"]


def changelog(_: Chance) -> MockEnvironment:
    return mock_env(commands=lambda asked: printed(asked.argv[-1] + "\n"), files={CHANGELOG: ""})


def every_part_is_in_it(run: Run) -> None:
    written = run.env.files.written[CHANGELOG].decode().split()
    assert sorted(written) == PARTS, f"the changelog says {written}"


def test_nothing_is_lost(sim: Sim) -> None:
    sim(collect(PARTS), changelog, check=every_part_is_in_it)


def test_nothing_is_lost_in_one_go(sim: Sim) -> None:
    sim(collect_in_one_go(PARTS), changelog, check=every_part_is_in_it)
