"""The short version of `benchmarks.git_kills`."""

from __future__ import annotations

import pytest

from benchmarks.git_kills import KINDS, kill_many


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_run_heals_what_a_kill_left(kind: str) -> None:
    assert kill_many(kind, kills=1, seed=7) > 0
