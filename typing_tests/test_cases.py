"""What mypy and pyright must infer, and what they must refuse: each case by each checker."""

from __future__ import annotations

import fcntl
import json
import re
from pathlib import Path

import pytest
from attrs import asdict

from typing_tests.checkers import CASES, CHECKERS, ROOT, Report, expectations, mypy_with_returns


@pytest.fixture(scope="session", params=CHECKERS)
def checker(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def reports(checker: str, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> list[Report]:
    """All reports of one checker, which runs once however many processes run the tests."""
    base = tmp_path_factory.getbasetemp()
    kept = (base if worker_id == "master" else base.parent) / f"{checker}.json"
    with Path(f"{kept}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(json.dumps([asdict(r) for r in CHECKERS[checker](CASES)]))
    return [Report(**report) for report in json.loads(kept.read_text())]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_both_checkers_infer_and_refuse_what_the_case_says(
    case: Path, checker: str, reports: list[Report]
) -> None:
    found = [report for report in reports if report.file == case.name]
    expected = set(expectations(case, checker))
    refused = {line for line, _ in expected}
    surprises = [report for report in found if report.line not in refused]
    accepted = expected - {(report.line, report.code) for report in found}
    assert ([], set()) == (surprises, accepted)


def test_with_the_plugin_of_returns_effects_flow_through_its_pipelines() -> None:
    (case,) = (CASES[0].parent / "with_returns_plugin").glob("*.py")
    found = {(report.line, report.code) for report in mypy_with_returns([case])}
    assert set(expectations(case, "mypy")) == found


def test_what_the_readme_shows_is_typed_as_it_stands(checker: str, tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = tmp_path / "readme.py"
    shown.write_text("\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL)))
    assert [] == CHECKERS[checker]([shown])


def test_a_case_that_lies_is_found_out(checker: str, tmp_path: Path) -> None:
    lying = tmp_path / "lying.py"
    lying.write_text("from typing import assert_type\nassert_type(1, str)\n")
    assert [("lying.py", 2)] == [(r.file, r.line) for r in CHECKERS[checker]([lying])]
