from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from anabranch.lifecycle import RunCreated
from anabranch.services import runs
from anabranch.services.journal import open_journal
from anabranch.services.runs import newest_run, read_runs, run_ids
from anabranch.values import RunStatus, UsageError


def now() -> datetime:
    return datetime(2026, 3, 14, tzinfo=UTC)


@pytest.mark.anyio
async def test_a_run_that_never_began_is_not_the_one_to_go_on_with(tmp_path: Path) -> None:
    async with open_journal(tmp_path / "runs" / "r2", now=now):
        pass
    assert "r2" == newest_run(str(tmp_path)).run
    with pytest.raises(UsageError, match="no interrupted run"):
        newest_run(str(tmp_path), RunStatus.INTERRUPTED)
    async with open_journal(tmp_path / "runs" / "r1", now=now) as journal:
        (await journal.append(RunCreated(run="r1", workflow="w", digest="d"))).unwrap()
    assert "r1" == newest_run(str(tmp_path), RunStatus.INTERRUPTED).run
    assert "r1" == newest_run(str(tmp_path)).run


@pytest.mark.anyio
async def test_all_runs_are_looked_for_once_however_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["r3", "r2", "r1"]
    for name in names:
        async with open_journal(tmp_path / "runs" / name, now=now):
            pass
    looks: list[str] = []

    def counted(state: str) -> list[str]:
        looks.append(state)
        return run_ids(state)

    monkeypatch.setattr(runs, "run_ids", counted)
    assert names == [found.run for found in read_runs(str(tmp_path))]
    assert 1 == len(looks)
