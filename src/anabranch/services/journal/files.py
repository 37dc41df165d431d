"""The journal of a run, in files: one writer, many readers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, final

from anyio import CancelScope, to_thread
from returns.result import Failure, Result, Success

from anabranch.environment import JournalError, JournalFault
from anabranch.lifecycle import Event, Folding, Opened, Payload, RunState, encode, is_announcement
from anabranch.services.directories import make_directory
from anabranch.services.journal.disk import Disk
from anabranch.services.journal.faults import unopened, unwritten
from anabranch.services.journal.segments import ACTIVE, History, read_segments
from anabranch.services.journal.stamping import Stamp
from anabranch.services.journal.views import Views
from anabranch.services.journal.writer import Batch, Writer
from anabranch.services.locks import FileLock, acquire
from anabranch.services.owners import this_process
from anabranch.values import HostError, Location, Problem

LOCK: Final = "journal.lock"
"""The lock of whoever writes the journal of a run."""

_CLOSED: Final = JournalError(fault=JournalFault.CLOSED, message="the journal is closed")


@asynccontextmanager
async def open_journal(
    directory: Path,
    *,
    now: Callable[[], datetime],
    version: str | None = None,
    disk: Callable[[Path, int], Disk] = Disk,
) -> AsyncGenerator[FileJournal]:
    """Open the journal of a run to write, making it if it is not there, and close it again.

    Nobody else can open it to write meanwhile. What is in it already is read and folded; a
    torn last line is cut off, and `Opened`, the first event that is written, tells.

    Args:
        directory: of this run alone; made if need be.
        now: the clock, in UTC.
        version: of anabranch, for the record.
        disk: opens the file, from the directory and the number of bytes to keep.

    Raises:
        HostError: another process writes it; it is damaged, or of a newer version; the
            directory cannot be written. The journal was not changed.
    """
    journal = await to_thread.run_sync(partial(_open, directory, now, version, disk))
    try:
        yield journal
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(journal.close)


@final
class FileJournal:
    """A `Journal` in files. Made by `open_journal`."""

    def __init__(
        self, directory: Path, *, stamp: Stamp, folding: Folding, disk: Disk, lock: FileLock
    ) -> None:
        self.directory = directory
        self._stamp, self._folding = stamp, folding
        self._disk, self._lock = disk, lock
        self._closed = False
        self._writer = Writer(self._commit)
        self._views = Views(directory, lambda: self.state)

    @property
    def state(self) -> RunState:
        """The fold of all events, also of those that are not durable yet."""
        with self._writer.lock:
            return self._folding.state

    async def append(
        self, *payloads: Payload, cause: int | None = None
    ) -> Result[tuple[Event, ...], JournalError]:
        """Write what happened; what announces an act is durable when this returns."""
        wanted = any(map(is_announcement, payloads))
        with self._writer.lock:
            error = _CLOSED if self._closed else self._writer.error
            if error is not None:
                return Failure(error)
            events, batch = self._accept(payloads, cause, wanted=wanted)
            waiting = batch.watched() if wanted else None
        self._views.touch()
        if waiting is None:
            return Success(events)
        await waiting.wait()
        return Success(events) if batch.error is None else Failure(batch.error)

    async def flush(self) -> Result[None, JournalError]:
        """Wait until all that was written so far, also what nobody waited for, is durable."""
        with self._writer.lock:
            error = _CLOSED if self._closed else self._writer.error
            if error is not None:
                return Failure(error)
            batch = self._writer.add(b"", wanted=True)
            waiting = batch.watched()
        await waiting.wait()
        return Success(None) if batch.error is None else Failure(batch.error)

    def close(self) -> None:
        """Write what is left, and what is derived from it. Twice is once."""
        with self._writer.lock:
            closed, self._closed = self._closed, True
        if not closed:
            with ExitStack() as stack:
                for end in (self._lock.release, self._disk.close, self._views.close):
                    stack.callback(end)
                self._writer.close()

    def note(self, payload: Payload) -> None:
        """Write something without waiting: `flush` tells whether it is durable."""
        with self._writer.lock:
            self._accept((payload,), None, wanted=False)

    def _accept(
        self, payloads: Sequence[Payload], cause: int | None, *, wanted: bool
    ) -> tuple[tuple[Event, ...], Batch]:
        events = self._stamp.peek(payloads, cause)
        lines = b"".join(encode(event) + b"\n" for event in events)
        self._folding.take_all(events)
        self._stamp.advance(events)
        return events, self._writer.add(lines, wanted=wanted)

    def _commit(self, lines: bytes) -> JournalError | None:
        try:
            self._disk.commit(lines)
        except OSError as error:
            return unwritten(self.directory / ACTIVE, error)
        return None


def _open(
    directory: Path,
    now: Callable[[], datetime],
    version: str | None,
    disk: Callable[[Path, int], Disk],
) -> FileJournal:
    try:
        make_directory(directory)
        with ExitStack() as stack:
            lock = stack.enter_context(_locked(directory / LOCK))
            history = read_segments(directory)
            folding = _folded(history, directory)
            file = disk(directory, history.size)
            stack.pop_all()
    except OSError as error:
        raise unopened(directory / ACTIVE, error) from error
    stamp = Stamp(now, last=history.events[-1] if history.events else None)
    journal = FileJournal(directory, stamp=stamp, folding=folding, disk=file, lock=lock)
    journal.note(_opened(version, history.torn))
    return journal


def _locked(path: Path) -> FileLock:
    outcome = acquire(path)
    lock = outcome.value_or(None)
    if lock is not None:
        return lock
    error = outcome.failure()
    where = Location(file=error.path)
    code = f"journal-{error.fault.value}"
    raise HostError(Problem(code=code, message=error.message, where=where, hint=error.hint))


def _folded(history: History, directory: Path) -> Folding:
    folding = Folding()
    folding.take_all(history.events)
    unknown = sorted(folding.state.unrecognised)
    if unknown:
        raise HostError(
            Problem(
                code="newer-schema",
                message="the journal holds events that this version does not know",
                where=Location(file=str(directory / ACTIVE)),
                value=", ".join(unknown),
                hint="go on with the version of anabranch that wrote it",
            )
        )
    return folding


def _opened(version: str | None, torn: int) -> Opened:
    me = this_process()
    return Opened(
        host=me.host,
        process=me.pid,
        boot=me.boot,
        process_started=me.started,
        version=version,
        dropped_bytes=torn,
    )
