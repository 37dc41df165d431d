"""Text that a test compares with a file that is checked in.

`ANABRANCH_UPDATE_SNAPSHOTS=1` writes what came instead; the change then shows in the diff.
"""

from __future__ import annotations

import os
from pathlib import Path


def assert_snapshot(file: Path, actual: str) -> None:
    """Compare text with a file, or write the file."""
    if os.environ.get("ANABRANCH_UPDATE_SNAPSHOTS"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(actual, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == actual
