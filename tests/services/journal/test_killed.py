"""Journals of real processes that are really killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from anabranch.lifecycle import CommandStarted, Opened
from anabranch.services.journal import read_segments

APPENDER = """
import resource, sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
import anyio
from anabranch.lifecycle import CommandStarted, Declared
from anabranch.services.journal import Disk, open_journal

async def main():
    disk = partial(Disk, segment_bytes=1000)
    async with open_journal(Path(sys.argv[1]), now=lambda: datetime.now(UTC), disk=disk) as journal:
        subject = f"step[{journal.state.sequence}]"
        await journal.append(Declared(subject=subject))
        while True:
            intent = CommandStarted(subject=subject, command="true")
            outcome = await journal.append(intent)
            if outcome.value_or(None) is None:
                print(outcome.failure(), flush=True)
                return
            print(outcome.unwrap()[0].sequence, flush=True)

if len(sys.argv) > 2:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
anyio.run(main)
"""


def appender(directory: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", APPENDER, str(directory), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_nothing_that_was_acknowledged_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    for lives, acknowledgements in enumerate([1, 7, 20], start=1):
        with appender(tmp_path) as process:
            assert process.stdout is not None
            last = [process.stdout.readline() for _ in range(acknowledgements)][-1]
            process.send_signal(signal.SIGKILL)
        events = read_segments(tmp_path).events
        assert isinstance(events[int(last) - 1].payload, CommandStarted)
        assert lives == sum(isinstance(event.payload, Opened) for event in events)


def test_a_full_disk_is_told_by_name_and_the_journal_can_be_read(tmp_path: Path) -> None:
    with appender(tmp_path, "900") as process:
        told, _ = process.communicate()
    *acknowledged, message = told.splitlines()
    assert "File too large" in message
    assert int(acknowledged[-1]) == read_segments(tmp_path).events[-1].sequence
