"""What a person sees whose terminal is drawn on while a run goes on."""

from __future__ import annotations

import errno
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.transcripts import make_repository

FLOW = """\
name: words
mode: mapreduce
setup:
  - shell: echo '["one", "two"]' > words.json
map:
  input: words.json
  agent_template:
    - shell: {command}
"""
_ERASES = (b"\x1b[2K", b"\x1b[1A", b"\x1b[J")


def shown(directory: Path, command: str, *, interrupt_at: bytes = b"") -> bytes:
    """All that a run writes to its terminal, which gets Ctrl-C when it has shown some text."""
    make_repository(directory / "repo")
    (directory / "flow.yml").write_text(FLOW.format(command=command))
    ours, its = pty.openpty()
    run = subprocess.Popen(
        [sys.executable, "-m", "anabranch", "run", "flow.yml", "--repo", "repo"],
        cwd=directory,
        stdin=its,
        stdout=its,
        stderr=its,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(its)
    said = b""
    for piece in _pieces(ours):
        said += piece
        if interrupt_at and interrupt_at in said:
            interrupt_at = b""
            run.send_signal(signal.SIGINT)
    os.close(ours)
    run.wait()
    return said


def _pieces(terminal: int) -> Iterator[bytes]:
    """What is written, until nobody has the other side open."""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return
        yield piece


@pytest.mark.parametrize("command", ["'true'", "echo it is broken; false"])
def test_nothing_of_the_summary_is_drawn_over(tmp_path: Path, command: str) -> None:
    _, told, rest = shown(tmp_path, command).rpartition(b"words: done")
    assert told
    assert b"agents: 2 in all" in rest
    assert not [code for code in _ERASES if code in rest]


def test_nothing_of_the_summary_of_an_interrupted_run_is_drawn_over(tmp_path: Path) -> None:
    said = shown(tmp_path, "sleep 600", interrupt_at=b"sleep 600")
    _, told, rest = said.rpartition(b"words: interrupted")
    assert told
    assert b"next: anabranch resume" in rest
    assert not [code for code in _ERASES if code in rest]
