"""A terminal session as text: what was typed, both outputs, the exit code."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable
from itertools import groupby, pairwise
from pathlib import Path
from typing import TypeAlias

import pytest

from anabranch.cli import main
from tests.snapshots import assert_snapshot

HERE = Path(__file__).parent / "snapshots"

Type: TypeAlias = Callable[[str], str]


def side_by_side(lines: Iterable[str]) -> list[str]:
    """The lines of agents, which end in any order, in one that is the same every time."""
    groups = [list(group) for _, group in groupby(lines, lambda line: line.startswith("  "))]
    for heading, agents in pairwise(groups):
        if heading[-1] == "map …":
            agents.sort()
    return [line for group in groups for line in group]


class Terminal:
    """Types commands into a directory of its own.

    What is `varying` from one time to the next is replaced by a word.
    """

    def __init__(self, directory: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self.varying: list[tuple[re.Pattern[str], str]] = []
        self._capture = capture
        self._session = ""

    def write(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text)

    def type(self, command: str) -> int:
        """Run a command; return its exit code and remember what it printed."""
        program, *arguments = shlex.split(command)
        assert program == "anabranch"
        code = main(arguments)
        out, err = self._capture.readouterr()
        shown = side_by_side(err.splitlines())
        said = f"$ {command}\n{out}" + "".join(f"! {line}\n" for line in shown)
        for pattern, word in self.varying:
            said = pattern.sub(word, said)
        self._session += said.replace(str(self.directory), "/tmp") + f"[{code}]\n\n"
        return code

    def matches(self, name: str) -> None:
        """Compare the whole session with `snapshots/NAME.txt`."""
        assert_snapshot(HERE / f"{name}.txt", self._session)
