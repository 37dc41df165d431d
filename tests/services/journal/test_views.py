from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from anabranch.lifecycle import (
    CommandEnded,
    Declared,
    Delivered,
    Moved,
    Payload,
    PhaseStarted,
    RunCreated,
    RunMoved,
    RunState,
    fold,
    summarise,
)
from anabranch.services.journal import (
    ACTIVE,
    FileJournal,
    read_segments,
    read_summary,
    write_views,
)
from anabranch.services.journal.views import Views
from anabranch.values import HostError, RunStatus, StepStatus
from tests.services.journal.support import small, unsynced, written

LIFE: list[Payload] = [
    RunCreated(run="r-1", workflow="tidy", digest="d"),
    RunMoved(to=RunStatus.RUNNING),
    PhaseStarted(phase="map"),
    Declared(subject="a", label="\udcff"),
    Moved(subject="a", to=StepStatus.QUEUED),
    Moved(subject="a", to=StepStatus.RUNNING, attempt=1, worker="w-0"),
    CommandEnded(subject="a", exit_code=1, tail="no\n"),
    Moved(subject="a", to=StepStatus.FAILED, message="exit 1"),
    Delivered(commit="c", delivered=False, hint="git merge"),
]


def write(directory: Path, *payloads: Payload) -> None:
    async def use(journal: FileJournal) -> None:
        await journal.append(*payloads)

    written(directory, use, disk=unsynced)


def views(directory: Path) -> dict[str, Any]:
    names = ["current", "metrics", "index/statuses", "index/agents", "index/workers"]
    paths = {name: directory / f"{name}.json" for name in names}
    return {n: json.loads(p.read_bytes().decode(errors="surrogatepass")) for n, p in paths.items()}


def test_the_summary_beside_a_journal_is_the_fold_of_it(tmp_path: Path) -> None:
    write(tmp_path, *LIFE)
    expected = summarise(fold(read_segments(tmp_path).events))
    (tmp_path / ACTIVE).chmod(0o400)
    assert expected == read_summary(tmp_path)


def test_an_answer_comes_from_the_summary_without_reading_the_journal(tmp_path: Path) -> None:
    write(tmp_path, *LIFE)
    lines = (tmp_path / ACTIVE).read_bytes().splitlines(keepends=True)
    (tmp_path / ACTIVE).write_bytes(b"unreadable\n" + lines[-1])
    assert "r-1" == read_summary(tmp_path).run


def test_every_view_says_how_far_it_has_come(tmp_path: Path) -> None:
    write(tmp_path, *LIFE)
    assert {len(LIFE) + 1} == {view["sequence"] for view in views(tmp_path).values()}


def test_views_can_be_deleted_and_come_back_the_same(tmp_path: Path) -> None:
    write(tmp_path, *LIFE)
    before = views(tmp_path)
    for name in ("current.json", "metrics.json"):
        (tmp_path / name).unlink()
    shutil.rmtree(tmp_path / "index")
    write_views(tmp_path, fold(read_segments(tmp_path).events))
    assert before == views(tmp_path)


def test_durations_are_seconds_and_say_so(tmp_path: Path) -> None:
    write(tmp_path, *LIFE)
    assert 0.0 == views(tmp_path)["metrics"]["steps"]["median_seconds"]
    assert {"map": 0.0} == views(tmp_path)["current"]["phases_seconds"]


def test_views_are_the_same_in_every_locale(tmp_path: Path) -> None:
    write(tmp_path, *LIFE, PhaseStarted(phase="größer…"))
    expected = views(tmp_path)
    script = """
import sys
import threading
from pathlib import Path
from anabranch.lifecycle import fold
from anabranch.services.journal import read_segments, read_summary, write_views
directory = Path(sys.argv[1])
write_views(directory, fold(read_segments(directory).events))
print(ascii(list(read_summary(directory).phases)))
"""
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    command = [sys.executable, "-c", script, str(tmp_path)]
    told = subprocess.check_output(command, env={**os.environ, **ascii_only}, text=True)
    assert expected == views(tmp_path)
    assert ascii(["map", "größer…"]) == told.strip()


def test_indices_lead_to_subjects(tmp_path: Path) -> None:
    write(tmp_path, *LIFE)
    assert {"failed": ["a"]} == views(tmp_path)["index/statuses"]["statuses"]
    assert {"w-0": ["a"]} == views(tmp_path)["index/workers"]["workers"]


@pytest.mark.parametrize("text", [None, "", "{}", "[]", "null", '{"sequence": 1', '{"status": 7}'])
def test_a_summary_that_is_no_summary_is_made_again(tmp_path: Path, text: str | None) -> None:
    write(tmp_path, *LIFE)
    expected = read_summary(tmp_path)
    (tmp_path / "current.json").unlink()
    if text is not None:
        (tmp_path / "current.json").write_text(text)
    assert expected == read_summary(tmp_path)


def test_a_summary_with_a_field_of_the_wrong_type_is_made_again(tmp_path: Path) -> None:
    write(tmp_path, *LIFE)
    expected, view = read_summary(tmp_path), views(tmp_path)["current"]
    for name in view.keys() - {"sequence"}:
        (tmp_path / "current.json").write_text(json.dumps({**view, name: [7]}))
        assert expected == read_summary(tmp_path), name


def test_a_summary_that_lags_behind_is_not_believed(tmp_path: Path) -> None:
    write(tmp_path, *LIFE)
    old = (tmp_path / "current.json").read_bytes()
    write(tmp_path, PhaseStarted(phase="reduce"))
    (tmp_path / "current.json").write_bytes(old)
    assert ["map", "reduce"] == list(read_summary(tmp_path).phases)


def test_a_torn_last_line_does_not_make_the_summary_old(tmp_path: Path) -> None:
    write(tmp_path, *LIFE)
    data = (tmp_path / ACTIVE).read_bytes()
    (tmp_path / ACTIVE).write_bytes(b"unreadable\n" + data.splitlines()[-1] + b'\n{"v":1')
    assert "r-1" == read_summary(tmp_path).run


def test_a_journal_that_was_just_put_away_still_has_its_last_line(tmp_path: Path) -> None:
    async def use(journal: FileJournal) -> None:
        for payload in LIFE:
            await journal.append(payload)

    written(tmp_path, use, disk=small)
    (tmp_path / ACTIVE).write_bytes(b"")
    (tmp_path / "journal.0001.jsonl").write_bytes(b"unreadable\n")
    with pytest.raises(HostError):
        read_segments(tmp_path)
    last = json.loads(max(tmp_path.glob("journal.0*")).read_bytes().splitlines()[-1])
    view = json.loads((tmp_path / "current.json").read_text(errors="surrogatepass"))
    (tmp_path / "current.json").write_text(
        json.dumps({**view, "sequence": last["seq"]}), errors="surrogatepass"
    )
    assert "r-1" == read_summary(tmp_path).run


def test_a_directory_without_a_journal_is_a_run_that_has_not_begun(tmp_path: Path) -> None:
    assert RunStatus.PENDING == read_summary(tmp_path).status


def test_views_are_written_while_the_journal_grows(tmp_path: Path) -> None:
    asked = threading.Event()

    def snapshot() -> RunState:
        asked.set()
        return fold(())

    views = Views(tmp_path, snapshot)
    views.touch()
    assert asked.wait(60)
    views.close()
    assert 0 == json.loads((tmp_path / "current.json").read_bytes())["sequence"]


def test_views_that_cannot_be_written_are_left(tmp_path: Path) -> None:
    views = Views(tmp_path / "nowhere", lambda: fold(()))
    views.close()
    assert [] == list(tmp_path.iterdir())
