"""A handful of the moments that `kills.py` tries hundreds of."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.soak.kills import Round, undisturbed

AGENTS = 10


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, float]:
    return undisturbed(tmp_path_factory.mktemp("soak") / "undisturbed", AGENTS)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(
    ("number", "all_of_it"),
    [(signal.SIGKILL, False), (signal.SIGKILL, True), (signal.SIGTERM, False)],
)
def test_a_run_that_is_ended_twice_and_resumed_is_as_if_nobody_had_disturbed_it(
    tmp_path: Path, expected: tuple[str, float], number: signal.Signals, *, all_of_it: bool
) -> None:
    tree, lasts = expected
    played = Round(
        place=tmp_path / "place",
        agents=AGENTS,
        seed=3,
        kills=2,
        number=number,
        all_of_it=all_of_it,
        lasts=lasts,
    )
    assert tree == played.play()
