from __future__ import annotations

from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from anabranch.lifecycle import Declared, Event, encode
from anabranch.services.journal import ACTIVE, FileJournal, Tail, follow, open_journal
from anabranch.values import HostError
from tests.lifecycle.histories import history
from tests.services.journal.support import both_backends, now, small

EVENTS = history(*(Declared(subject=f"step[{n}]") for n in range(6)))
LINES = [encode(event) + b"\n" for event in EVENTS]


def test_what_is_there_comes_first_and_then_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / ACTIVE
    path.write_bytes(b"".join(LINES[:2]))
    tail = Tail(tmp_path)
    assert EVENTS[:2] == list(tail.poll())
    assert () == tail.poll()
    path.write_bytes(b"".join(LINES[:5]))
    assert EVENTS[2:5] == list(tail.poll())


def test_a_line_without_an_end_is_left_for_later(tmp_path: Path) -> None:
    data = b"".join(LINES[:3])
    tail = Tail(tmp_path)
    found: list[Event] = []
    for length in range(len(data) + 1):
        (tmp_path / ACTIVE).write_bytes(data[:length])
        found.extend(tail.poll())
    assert EVENTS[:3] == found


def test_a_journal_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    assert () == tail.poll()
    (tmp_path / ACTIVE).write_bytes(LINES[0])
    assert EVENTS[:1] == list(tail.poll())


def test_files_that_are_put_away_meanwhile_are_read_to_their_end(tmp_path: Path) -> None:
    active = tmp_path / ACTIVE
    tail = Tail(tmp_path)
    active.write_bytes(LINES[0])
    assert EVENTS[:1] == list(tail.poll())
    active.write_bytes(LINES[0] + LINES[1])
    active.rename(tmp_path / "journal.0001.jsonl")
    (tmp_path / "journal.0002.jsonl").write_bytes(LINES[2] + LINES[3])
    active.write_bytes(LINES[4])
    assert EVENTS[1:5] == list(tail.poll())
    active.write_bytes(LINES[4] + LINES[5])
    assert EVENTS[5:] == list(tail.poll())


def test_damage_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / ACTIVE).write_bytes(LINES[0] + b"garbage\n")
    with pytest.raises(HostError) as caught:
        Tail(tmp_path).poll()
    assert 2 == caught.value.problems[0].where.line


@both_backends
def test_following_sees_everything_that_another_writes(tmp_path: Path, backend: str) -> None:
    names = [f"step[{n}]" for n in range(20)]

    async def write() -> None:
        async with open_journal(tmp_path, now=now, disk=small) as journal:
            for name in names:
                await one(journal, name)

    async def one(journal: FileJournal, name: str) -> None:
        await journal.append(Declared(subject=name))
        await anyio.lowlevel.checkpoint()

    async def main() -> list[str]:
        seen: list[str] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write)
            async with aclosing(follow(tmp_path, interval=timedelta())) as following:
                async for events in following:
                    seen += [e.payload.subject for e in events if isinstance(e.payload, Declared)]
                    if seen[-1:] == names[-1:]:
                        break
        return seen

    assert names == anyio.run(main, backend=backend)
