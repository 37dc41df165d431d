from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from attrs import evolve
from returns.result import Result, Success

from anabranch.environment import Journal, JournalError, JournalFault
from anabranch.lifecycle import (
    CommandStarted,
    Declared,
    Event,
    InvalidTransition,
    Masker,
    Moved,
    Opened,
    OutputRecorded,
    Payload,
    RunCreated,
    RunMoved,
    Unrecognised,
    encode,
    fold,
)
from anabranch.services.journal import (
    ACTIVE,
    LOCK,
    Disk,
    FileJournal,
    MaskedJournal,
    read_segments,
    views,
)
from anabranch.services.owners import this_process
from anabranch.values import HostError, RunStatus, StepStatus
from tests.services.journal.support import NOON, Room, both_backends, small, unsynced, written

CREATED = RunCreated(run="r-1", workflow="tidy", digest="d")
QUEUED = Moved(subject="a", to=StepStatus.QUEUED)
INTENT = CommandStarted(subject="a", command="make")


async def append_all(journal: Journal, *payloads: Payload) -> list[Event]:
    return [event for p in payloads for event in (await journal.append(p)).unwrap()]


def write(directory: Path, *payloads: Payload) -> None:
    async def use(journal: FileJournal) -> None:
        await append_all(journal, *payloads)

    written(directory, use)


def problem(directory: Path) -> tuple[str, int | None]:
    """Why the journal cannot be opened to write; nothing in the directory may change."""
    before = contents(directory)
    with pytest.raises(HostError) as caught:
        write(directory)
    assert before == contents(directory)
    (found,) = caught.value.problems
    return found.code, found.where.line


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.glob("*.jsonl")}


def payloads(directory: Path) -> Sequence[Payload]:
    return [event.payload for event in read_segments(directory).events]


@both_backends
def test_what_was_appended_is_in_the_file_and_in_the_state(tmp_path: Path, backend: str) -> None:
    async def use(journal: FileJournal) -> None:
        events = await append_all(journal, CREATED, Declared(subject="a"), QUEUED)
        assert [2, 3, 4] == [event.sequence for event in events]
        assert "a" in journal.state.subjects

    written(tmp_path, use, backend=backend)
    assert [CREATED, Declared(subject="a"), QUEUED] == payloads(tmp_path)[1:]


def test_the_first_event_says_who_writes(tmp_path: Path) -> None:
    write(tmp_path)
    me = this_process()
    opened = Opened(
        host=me.host, process=me.pid, boot=me.boot, process_started=me.started, version="1.2.3"
    )
    assert [opened] == payloads(tmp_path)


def test_the_directory_is_made_if_need_be(tmp_path: Path) -> None:
    write(tmp_path / "runs" / "r-1", CREATED)
    assert CREATED == payloads(tmp_path / "runs" / "r-1")[1]


def test_a_journal_goes_on_where_it_ended(tmp_path: Path) -> None:
    write(tmp_path, CREATED, Declared(subject="a"))
    write(tmp_path, QUEUED)
    events = read_segments(tmp_path).events
    assert [1, 2, 3, 4, 5] == [event.sequence for event in events]
    assert StepStatus.QUEUED == fold(events).subjects["a"].status


def test_an_announcement_is_on_disk_when_the_append_returns(tmp_path: Path) -> None:
    synced: list[int] = []

    def sync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)

    async def use(journal: FileJournal) -> None:
        await append_all(journal, CREATED, Declared(subject="a"), QUEUED, INTENT)
        assert synced[-1] == (tmp_path / ACTIVE).stat().st_size
        assert INTENT == payloads(tmp_path)[-1]

    written(tmp_path, use, disk=lambda path, size: Disk(path, size, sync=sync))


def test_an_illegal_event_is_refused_and_not_written(tmp_path: Path) -> None:
    async def use(journal: FileJournal) -> None:
        await append_all(journal, Declared(subject="a"))
        with pytest.raises(InvalidTransition):
            await journal.append(QUEUED, QUEUED)
        await append_all(journal, QUEUED)

    written(tmp_path, use)
    assert [1, 2, 3] == [event.sequence for event in read_segments(tmp_path).events]


def test_what_json_cannot_say_is_refused_and_not_written(tmp_path: Path) -> None:
    async def use(journal: FileJournal) -> None:
        await append_all(journal, Declared(subject="a"))
        with pytest.raises(ValueError, match="JSON"):
            await journal.append(OutputRecorded(subject="a", name="x", value=float("inf")))
        await append_all(journal, QUEUED)

    written(tmp_path, use)
    assert QUEUED == payloads(tmp_path)[-1]


@both_backends
def test_many_may_append_at_once(tmp_path: Path, backend: str) -> None:
    async def use(journal: FileJournal) -> None:
        async def one(name: str) -> None:
            intent = CommandStarted(subject=name, command="true")
            await append_all(journal, Declared(subject=name), intent)

        async with anyio.create_task_group() as tasks:
            for number in range(40):
                tasks.start_soon(one, f"step[{number}]")

    written(tmp_path, use, backend=backend)
    events = read_segments(tmp_path).events
    assert list(range(1, 82)) == [event.sequence for event in events]
    assert 40 == sum(len(s.work.in_doubt) for s in fold(events).subjects.values())


@both_backends
def test_who_is_cancelled_while_waiting_leaves_the_journal_whole(
    tmp_path: Path, backend: str
) -> None:
    async def use(journal: FileJournal) -> None:
        await append_all(journal, Declared(subject="a"))
        with anyio.CancelScope() as scope:
            scope.cancel()
            await journal.append(INTENT)
        assert (await journal.append(QUEUED)).unwrap()

    written(tmp_path, use, backend=backend)
    assert [INTENT, QUEUED] == payloads(tmp_path)[-2:]


def test_a_closed_journal_says_so(tmp_path: Path) -> None:
    async def use(journal: FileJournal) -> Result[tuple[Event, ...], JournalError]:
        journal.close()
        journal.close()
        return await journal.append(CREATED)

    assert JournalFault.CLOSED == written(tmp_path, use).failure().fault


def test_a_clock_that_was_set_back_does_not_take_the_journal_with_it(tmp_path: Path) -> None:
    written(tmp_path, lambda journal: append_all(journal, CREATED))
    earlier = NOON - timedelta(days=1)
    more = Declared(subject="a")
    written(tmp_path, lambda journal: append_all(journal, more), clock=lambda: earlier)
    assert {NOON} == {event.time for event in read_segments(tmp_path).events}


# --- one writer --------------------------------------------------------------------------------


def test_a_journal_has_one_writer_at_a_time(tmp_path: Path) -> None:
    async def use(journal: FileJournal) -> None:
        await append_all(journal, CREATED)
        assert ("journal-held", None) == await anyio.to_thread.run_sync(problem, tmp_path)

    written(tmp_path, use)


def test_nothing_but_the_journal_and_its_views_is_left_behind(tmp_path: Path) -> None:
    write(tmp_path, CREATED)
    names = {path.name for path in tmp_path.iterdir()}
    assert {ACTIVE, "current.json", "metrics.json", "index"} == names


def test_a_journal_that_could_not_be_opened_is_not_locked(tmp_path: Path) -> None:
    (tmp_path / ACTIVE).write_bytes(b"garbage\n")
    problem(tmp_path)
    assert not (tmp_path / LOCK).exists()


def test_a_journal_is_given_back_though_its_views_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    async def use(journal: FileJournal) -> None:
        await journal.append(CREATED)
        monkeypatch.setattr(views, "write_views", broken)

    with pytest.raises(ZeroDivisionError):
        written(tmp_path, use)
    monkeypatch.undo()
    write(tmp_path, Declared(subject="a"))
    assert Declared(subject="a") == payloads(tmp_path)[-1]


# --- damage ------------------------------------------------------------------------------------


def test_a_torn_last_line_is_cut_off_and_told(tmp_path: Path) -> None:
    write(tmp_path, CREATED)
    whole = (tmp_path / ACTIVE).read_bytes()
    (tmp_path / ACTIVE).write_bytes(whole + b'{"v":1,"seq":3,"ty')
    assert 18 == read_segments(tmp_path).torn
    write(tmp_path)
    opened = payloads(tmp_path)[-1]
    assert isinstance(opened, Opened)
    assert 18 == opened.dropped_bytes
    assert (tmp_path / ACTIVE).read_bytes().startswith(whole)


def test_a_damaged_line_is_refused_with_its_place(tmp_path: Path) -> None:
    write(tmp_path, CREATED, Declared(subject="a"), QUEUED)
    data = (tmp_path / ACTIVE).read_bytes()
    (tmp_path / ACTIVE).write_bytes(data.replace(b"tidy", b"todo"))
    assert ("corrupt-line", 2) == problem(tmp_path)


def test_a_damaged_last_line_that_is_whole_is_refused_too(tmp_path: Path) -> None:
    write(tmp_path, CREATED)
    data = (tmp_path / ACTIVE).read_bytes()
    (tmp_path / ACTIVE).write_bytes(data[:-20] + b"?" + data[-19:])
    assert ("corrupt-line", 2) == problem(tmp_path)


def test_a_line_that_is_missing_is_refused(tmp_path: Path) -> None:
    write(tmp_path, CREATED, Declared(subject="a"), QUEUED)
    lines = (tmp_path / ACTIVE).read_bytes().splitlines(keepends=True)
    (tmp_path / ACTIVE).write_bytes(b"".join(lines[:1] + lines[2:]))
    assert ("corrupt-journal", 2) == problem(tmp_path)


def test_a_refusal_says_what_can_be_done(tmp_path: Path) -> None:
    write(tmp_path, CREATED, Declared(subject="a"))
    data = (tmp_path / ACTIVE).read_bytes()
    (tmp_path / ACTIVE).write_bytes(data.replace(b"tidy", b"todo"))
    with pytest.raises(HostError) as caught:
        read_segments(tmp_path)
    assert f"{tmp_path / ACTIVE}:2: not an event: the checksum is wrong" in str(caught.value)
    assert "shorten it to the 1 lines before this one" in str(caught.value)


def test_a_journal_of_a_newer_version_can_be_read_and_not_written(tmp_path: Path) -> None:
    strange = Unrecognised(type="teleported", data={"subject": "a"})
    (tmp_path / ACTIVE).write_bytes(encode(Event(1, NOON, strange)) + b"\n")
    assert [strange] == payloads(tmp_path)
    assert ("newer-schema", None) == problem(tmp_path)


# --- a disk that does not do its part ----------------------------------------------------------


def test_a_full_disk_is_a_failure_and_what_was_written_stays(tmp_path: Path) -> None:
    room = Room(1000)

    async def use(journal: FileJournal) -> list[Result[tuple[Event, ...], JournalError]]:
        await journal.append(CREATED, Declared(subject="a"))
        long = evolve(INTENT, command="x" * 1000)
        return [await journal.append(long), await journal.append(INTENT)]

    outcomes = written(tmp_path, use, disk=room.disk)
    assert [JournalFault.NO_SPACE] * 2 == [outcome.failure().fault for outcome in outcomes]
    assert "No space left on device" in outcomes[0].failure().message
    assert Declared(subject="a") == payloads(tmp_path)[-1]
    write(tmp_path, INTENT)
    assert INTENT == payloads(tmp_path)[-1]


def test_a_report_that_is_not_waited_for_fails_the_next_append(tmp_path: Path) -> None:
    room = Room(1000)

    async def use(journal: FileJournal) -> Result[tuple[Event, ...], JournalError]:
        await journal.append(CREATED, Declared(subject="a"))
        output = OutputRecorded(subject="a", name="x", value="x" * 1000)
        assert isinstance(await journal.append(output), Success)
        return await journal.append(INTENT)

    assert JournalFault.NO_SPACE == written(tmp_path, use, disk=room.disk).failure().fault


@both_backends
def test_what_nobody_waited_for_is_on_disk_after_a_flush(tmp_path: Path, backend: str) -> None:
    synced: list[int] = []

    async def use(journal: FileJournal) -> None:
        await journal.append(CREATED, Declared(subject="a"))
        synced.clear()
        journal.note(QUEUED)
        assert Success(None) == await journal.flush()
        assert synced
        assert QUEUED == payloads(tmp_path)[-1]

    written(tmp_path, use, disk=lambda p, n: Disk(p, n, sync=synced.append), backend=backend)


def test_a_flush_tells_that_what_was_noted_is_not_on_disk(tmp_path: Path) -> None:
    room = Room(1000)

    async def use(journal: FileJournal) -> list[Result[None, JournalError]]:
        await journal.append(CREATED, Declared(subject="a"))
        journal.note(OutputRecorded(subject="a", name="x", value="x" * 1000))
        return [await journal.flush(), await journal.flush()]

    outcomes = written(tmp_path, use, disk=room.disk)
    assert [JournalFault.NO_SPACE] * 2 == [outcome.failure().fault for outcome in outcomes]


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (errno.ENOSPC, JournalFault.NO_SPACE),
        (errno.EDQUOT, JournalFault.NO_SPACE),
        (errno.EFBIG, JournalFault.NO_SPACE),
        (errno.EROFS, JournalFault.READ_ONLY),
        (errno.EIO, JournalFault.IO),
    ],
)
def test_a_sync_that_fails_is_not_tried_again(
    tmp_path: Path, number: int, fault: JournalFault
) -> None:
    calls: list[int] = []

    def sync(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 1:
            raise OSError(number, os.strerror(number))

    async def use(journal: FileJournal) -> list[Result[tuple[Event, ...], JournalError]]:
        await journal.append(CREATED)
        return [await journal.append(RunMoved(to=RunStatus.RUNNING)) for _ in "ab"][:1]

    (outcome,) = written(tmp_path, use, disk=lambda p, n: Disk(p, n, sync=sync))
    assert (fault, 2) == (outcome.failure().fault, len(calls))


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError) as caught:
        write(tmp_path / "file" / "runs")
    assert "journal-io" == caught.value.problems[0].code
    assert "Not a directory" in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_is_read_only_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(HostError) as caught:
        write(tmp_path)
    assert "journal-read-only" == caught.value.problems[0].code


# --- rotation ----------------------------------------------------------------------------------


def test_a_big_journal_is_spread_over_files_in_order(tmp_path: Path) -> None:
    many = [Declared(subject=f"step[{n}]") for n in range(12)]

    async def use(journal: FileJournal) -> None:
        for payload in many:
            started = CommandStarted(subject=payload.subject, command="true")
            await append_all(journal, payload, started)

    written(tmp_path, use, disk=small)
    files = sorted(path.name for path in tmp_path.glob("journal*.jsonl"))
    assert ["journal.0001.jsonl", "journal.0002.jsonl"] == files[:2]
    assert ACTIVE == files[-1]
    assert many == [p for p in payloads(tmp_path) if isinstance(p, Declared)]
    write(tmp_path, Declared(subject="last"))
    assert Declared(subject="last") == payloads(tmp_path)[-1]


def test_a_file_that_is_missing_in_between_is_refused(tmp_path: Path) -> None:
    test_a_big_journal_is_spread_over_files_in_order(tmp_path)
    (tmp_path / "journal.0002.jsonl").unlink()
    assert "corrupt-journal" == problem(tmp_path)[0]


def test_a_file_that_was_put_away_is_not_cut(tmp_path: Path) -> None:
    test_a_big_journal_is_spread_over_files_in_order(tmp_path)
    path = tmp_path / "journal.0002.jsonl"
    path.write_bytes(path.read_bytes()[:-3])
    assert "corrupt-journal" == problem(tmp_path)[0]


def test_a_crash_between_putting_away_and_beginning_anew_loses_nothing(tmp_path: Path) -> None:
    write(tmp_path, CREATED)
    (tmp_path / ACTIVE).rename(tmp_path / "journal.0001.jsonl")
    write(tmp_path, Declared(subject="a"))
    assert [1, 2, 3, 4] == [event.sequence for event in read_segments(tmp_path).events]


# --- for other programs ------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("jq") is None, reason="there is no jq")
def test_jq_alone_can_tell_who_is_where(tmp_path: Path) -> None:
    write(tmp_path, CREATED, Declared(subject="a"), QUEUED)
    query = 'select(.type == "moved") | {(.subject): .to}'
    told = subprocess.run(
        ["jq", "-c", query, tmp_path / ACTIVE], capture_output=True, check=True, text=True
    )
    assert {"a": "queued"} == json.loads(told.stdout)


def test_no_secret_reaches_a_masked_journal(tmp_path: Path) -> None:
    async def use(journal: FileJournal) -> None:
        masked = MaskedJournal(journal, Masker.of(["correct horse"]))
        await append_all(
            masked, Declared(subject="a"), evolve(INTENT, command="login 'correct horse'")
        )

    written(tmp_path, use)
    assert evolve(INTENT, command="login '***'") == payloads(tmp_path)[-1]
    assert not [p for p in tmp_path.rglob("*.json*") if b"correct horse" in p.read_bytes()]


def test_reading_does_not_disturb_the_writer(tmp_path: Path) -> None:
    async def use(journal: FileJournal) -> None:
        await append_all(journal, CREATED, Declared(subject="a"), INTENT)
        assert journal.state == fold(read_segments(tmp_path).events)

    written(tmp_path, use, disk=unsynced)
