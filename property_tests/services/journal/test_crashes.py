from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import anyio
import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure

from anabranch.lifecycle import (
    Declared,
    Event,
    Opened,
    Payload,
    encode,
    fold,
    is_announcement,
    summarise,
)
from anabranch.services.journal import (
    ACTIVE,
    Disk,
    open_journal,
    read_segments,
    read_summary,
)
from anabranch.testing.strategies.lifecycle import histories
from anabranch.values import HostError
from tests.lifecycle.histories import history
from tests.services.journal.support import now


@contextmanager
def scratch() -> Generator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="journal-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def lines(events: tuple[Event, ...]) -> list[bytes]:
    return [encode(event) + b"\n" for event in events]


@given(histories(max_length=12), st.data())
def test_a_journal_torn_at_any_byte_is_the_whole_lines_before_it(
    history: tuple[Event, ...], data: st.DataObject
) -> None:
    written = b"".join(lines(history))
    written = written[: data.draw(st.integers(0, len(written)))]
    with scratch() as directory:
        (directory / ACTIVE).write_bytes(written)
        found = read_segments(directory)
    assert history[: written.count(b"\n")] == found.events
    assert len(written) == found.size + found.torn


def test_a_journal_torn_at_every_byte_is_the_whole_lines_before_it(tmp_path: Path) -> None:
    events = history(*(Declared(subject=f"step[{n}]") for n in range(4)))
    written = b"".join(lines(tuple(events)))
    for length in range(len(written) + 1):
        (tmp_path / ACTIVE).write_bytes(written[:length])
        found = read_segments(tmp_path)
        assert events[: written[:length].count(b"\n")] == list(found.events)
        assert length == found.size + found.torn


@given(histories(max_length=12), st.data())
def test_a_damaged_byte_in_a_whole_line_is_always_noticed(
    history: tuple[Event, ...], data: st.DataObject
) -> None:
    written = b"".join(lines(history))
    if not written:
        return
    at = data.draw(st.integers(0, len(written) - 2))
    damaged = bytearray(written)
    damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    with scratch() as directory:
        (directory / ACTIVE).write_bytes(damaged)
        with pytest.raises(HostError):
            read_segments(directory)
        assert bytes(damaged) == (directory / ACTIVE).read_bytes()


class PowerFailureError(Exception):
    """The machine is off."""


@define
class Machine:
    """A machine whose power fails at a sync: of what that had to write, a part arrives."""

    syncs: int | None
    arrives: float
    cache: bytes = b""

    def disk(self, directory: Path, size: int) -> Disk:
        return Disk(directory, size, segment_bytes=600, write=self.write, sync=self.sync)

    def write(self, _: int, data: bytes) -> int:
        self.cache += data
        return len(data)

    def sync(self, descriptor: int) -> None:
        data, self.cache = self.cache, b""
        if self.syncs is not None:
            self.syncs -= 1
            if self.syncs <= 0:
                data = data[: round(self.arrives * len(data))]
        if data:
            os.write(descriptor, data)
        if self.syncs is not None and self.syncs <= 0:
            raise PowerFailureError


machines = st.builds(Machine, st.integers(1, 12), st.floats(0, 1))


async def live(machine: Machine, directory: Path, payloads: list[Payload]) -> int:
    """Append them until the power fails; how many must have survived."""
    acknowledged = 0
    with suppress(PowerFailureError):
        async with open_journal(directory, now=now, version="mine", disk=machine.disk) as journal:
            for number, payload in enumerate(payloads, start=1):
                if isinstance(await journal.append(payload), Failure):
                    break
                if is_announcement(payload):
                    acknowledged = number
    return acknowledged


@given(histories(max_length=25), st.lists(machines, max_size=4))
def test_what_was_announced_survives_a_loss_of_power(
    history: tuple[Event, ...], lives: list[Machine]
) -> None:
    everything = [event.payload for event in history]
    survived: list[Payload] = []
    with scratch() as directory:
        for machine in (*lives, Machine(None, 1.0)):
            announced = anyio.run(live, machine, directory, everything[len(survived) :])
            events = read_segments(directory).events
            announced += len(survived)
            survived = [e.payload for e in events if not _is_mine(e.payload)]
            assert everything[: len(survived)] == survived
            assert announced <= len(survived)
            assert summarise(fold(events)) == read_summary(directory)
    assert everything == survived


def _is_mine(payload: Payload) -> bool:
    return isinstance(payload, Opened) and payload.version == "mine"
