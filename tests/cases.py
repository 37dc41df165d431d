"""The case tables: inputs and expected answers as data.

They live in `tests/cases/*.jsonl`; each row is `{"id", "in", "out"}`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

_HERE = Path(__file__).parent / "cases"


@frozen
class Case:
    id: str
    given: dict[str, Any]
    expected: dict[str, Any]


def table(name: str) -> list[Any]:
    """Every row of a table, as parameters for `pytest.mark.parametrize`."""
    rows = [json.loads(line) for line in (_HERE / f"{name}.jsonl").read_text().splitlines() if line]
    return [pytest.param(Case(r["id"], r["in"], r["out"]), id=r["id"]) for r in rows]
