from __future__ import annotations

import re
from pathlib import Path

from anabranch.lifecycle import RUN_TRANSITIONS, STEP_TRANSITIONS
from anabranch.lifecycle.diagrams import mermaid

PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "lifecycle.md"


def test_the_page_shows_what_the_tables_say() -> None:
    shown = re.findall(r"```mermaid\n(.*?)\n```", PAGE.read_text(), flags=re.DOTALL)
    assert [mermaid(STEP_TRANSITIONS), mermaid(RUN_TRANSITIONS)] == shown


def arrows(diagram: str) -> set[tuple[str, str]]:
    pairs = (line.strip().split(" --> ") for line in diagram.splitlines()[1:])
    return {(start, end) for start, end in pairs if "[*]" not in (start, end)}


def test_every_transition_is_one_arrow() -> None:
    steps = {(a, b) for a, exits in STEP_TRANSITIONS.items() for b in exits}
    runs = {(a, b) for a, exits in RUN_TRANSITIONS.items() for b in exits}
    assert steps == arrows(mermaid(STEP_TRANSITIONS))
    assert runs == arrows(mermaid(RUN_TRANSITIONS))
