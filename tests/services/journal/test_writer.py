from __future__ import annotations

import threading

import anyio

from anabranch.environment import JournalError, JournalFault
from anabranch.services.journal.writer import Batch, Writer
from tests.services.journal.support import both_backends

FULL = JournalError(fault=JournalFault.NO_SPACE, message="full")


class Gate:
    """A disk that waits for permission."""

    def __init__(self, *answers: JournalError | None) -> None:
        self.open, self.busy = threading.Event(), threading.Event()
        self.commits: list[bytes] = []
        self.answers = list(answers)

    def commit(self, data: bytes) -> JournalError | None:
        self.busy.set()
        self.open.wait()
        self.commits.append(data)
        return self.answers.pop(0) if self.answers else None


def add(writer: Writer, line: bytes, *, wanted: bool = True) -> Batch:
    with writer.lock:
        return writer.add(line, wanted=wanted)


def test_what_comes_while_the_disk_is_busy_is_written_together() -> None:
    gate = Gate()
    writer = Writer(gate.commit)
    add(writer, b"a")
    gate.busy.wait()
    assert add(writer, b"b") is add(writer, b"c")
    gate.open.set()
    writer.close()
    assert [b"a", b"bc"] == gate.commits


def test_a_line_that_nobody_waits_for_is_written_all_the_same() -> None:
    gate = Gate()
    gate.open.set()
    writer = Writer(gate.commit)
    add(writer, b"a", wanted=False)
    gate.busy.wait()
    writer.close()
    assert [b"a"] == gate.commits


def test_lines_that_nobody_waits_for_go_with_the_next_that_somebody_does() -> None:
    gate = Gate()
    writer = Writer(gate.commit)
    add(writer, b"a")
    gate.busy.wait()
    assert add(writer, b"b", wanted=False) is add(writer, b"c", wanted=False)
    assert not add(writer, b"d", wanted=False).wanted
    assert add(writer, b"e").wanted
    gate.open.set()
    writer.close()
    assert [b"a", b"bcde"] == gate.commits


def test_closing_writes_what_is_left() -> None:
    gate = Gate()
    gate.open.set()
    writer = Writer(gate.commit)
    batch = add(writer, b"a")
    writer.close()
    assert (True, None, [b"a"]) == (batch.done, batch.error, gate.commits)


def test_after_an_error_nothing_more_is_written() -> None:
    gate = Gate(FULL)
    writer = Writer(gate.commit)
    first = add(writer, b"a")
    gate.busy.wait()
    second = add(writer, b"b")
    gate.open.set()
    writer.close()
    assert [b"a"] == gate.commits
    assert [FULL, FULL, FULL] == [first.error, second.error, writer.error]


def test_a_disk_that_breaks_in_an_unforeseen_way_wakes_everybody() -> None:
    def commit(_: bytes) -> None:
        raise ZeroDivisionError

    writer = Writer(commit)
    batch = add(writer, b"a")
    writer.close()
    assert batch.error is not None
    assert JournalFault.IO == batch.error.fault


@both_backends
def test_who_watches_a_batch_is_woken_when_it_is_done(backend: str) -> None:
    async def main() -> bool:
        gate = Gate()
        writer = Writer(gate.commit)
        with writer.lock:
            batch = writer.add(b"a", wanted=True)
            watched = [batch.watched() for _ in "ab"]
        gate.open.set()
        for event in watched:
            await event.wait()
        writer.close()
        return batch.done

    assert anyio.run(main, backend=backend)


@both_backends
def test_a_loop_that_has_ended_does_not_stop_the_writer(backend: str) -> None:
    gate = Gate()
    writer = Writer(gate.commit)

    async def main() -> None:
        with writer.lock:
            writer.add(b"a", wanted=True).watched()

    anyio.run(main, backend=backend)
    gate.open.set()
    writer.close()
    assert [b"a"] == gate.commits
