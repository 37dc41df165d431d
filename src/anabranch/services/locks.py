"""Locks between processes, on files, that a dead owner does not keep.

Two things make a lock. The kernel's advisory lock on the open file (`flock`) excludes others
and vanishes with its holder however that ends, so taking over from the dead is no special
case and two takers cannot both win. The file's content says who holds it: for people, and
against the cases in which the kernel's lock says too little (a file system that does not
carry it to other machines). A lock is free when the kernel grants it *and* the signature in
the file is not that of a living process, or of one on another machine, of which nobody here
can know.

The file is removed on release. Whoever was granted a file that is no longer the one at its
path, because its holder removed it in between, tries again.

A lock is not re-entrant: the same process is refused like any other.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Final, Self, final

from attrs import frozen
from returns.result import Failure, Result, Success

from anabranch.services.owners import Life, Owner, life_of, read_owner, this_process, write_owner

_SIGNATURE_BYTES: Final = 4096
_MOMENTS: Final = 200
_MOMENT_SECONDS: Final = 0.005


class LockFault(StrEnum):
    """Why a lock was not granted."""

    HELD = "held"
    ELSEWHERE = "elsewhere"
    UNAVAILABLE = "unavailable"


@frozen(kw_only=True)
class LockError:
    """A lock that was not granted.

    Attributes:
        fault: held by a living process here; signed on another machine; or the file system
            does not let us.
        owner: who signed it, if that can be read.
    """

    fault: LockFault
    path: str
    message: str
    owner: Owner | None = None
    hint: str | None = None

    def __str__(self) -> str:
        """One line for people."""
        return self.message


@final
class FileLock:
    """A lock that is held, until `release` or the end of its `with` block."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor
        _held.add(self)

    @property
    def descriptor(self) -> int:
        """The open file: a process that inherits it holds the lock, too, until it ends."""
        assert self._descriptor is not None, "the lock was given back"
        return self._descriptor

    def release(self) -> None:
        """Give it back. Twice is once."""
        if self._descriptor is None:
            return
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            if _is_at(self._descriptor, self.path):
                self.path.unlink()
        self.forget()

    def forget(self) -> None:
        """Close the file and leave it where it is: for a process that holds it by inheritance."""
        descriptor, self._descriptor = self._descriptor, None
        _held.discard(self)
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.release()


def acquire(path: Path) -> Result[FileLock, LockError]:
    """Take the lock if it is free, without waiting. The directory must exist.

    A process that was killed while it started another lets go only when that one is what it was
    to be. For that moment, which is short, this waits.
    """
    try:
        outcome = _attempt(path)
        for _ in range(_MOMENTS):
            if outcome is not None and not _lets_go(outcome):
                return outcome
            if outcome is not None:
                time.sleep(_MOMENT_SECONDS)
            outcome = _attempt(path)
    except OSError as error:
        return Failure(_unavailable(path, error))
    return Failure(_held_by(owner_of(path), path)) if outcome is None else outcome


def _lets_go(outcome: Result[FileLock, LockError]) -> bool:
    """Whether the lock is held by the dead."""
    match outcome:
        case Failure(LockError(fault=LockFault.HELD, owner=Owner() as owner)):
            return life_of(owner) is Life.DEAD
        case _:
            return False


def owner_of(path: Path) -> Owner | None:
    """Who signed the lock; `None` if it is free or the signature cannot be read."""
    try:
        return read_owner(path.read_bytes())
    except OSError:
        return None


def _attempt(path: Path) -> Result[FileLock, LockError] | None:
    """Try once. `None`: the file was removed meanwhile by whoever held it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    granted = False
    try:
        error = _contend(descriptor, path)
        if error is not None:
            return Failure(error)
        if not _is_at(descriptor, path):
            return None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, write_owner(this_process()), 0)
        granted = True
        return Success(FileLock(path, descriptor))
    finally:
        if not granted:
            os.close(descriptor)


def _contend(descriptor: int, path: Path) -> LockError | None:
    """Ask the kernel, then the signature. `None` is granted."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _held_by(_signature(descriptor), path)
    signed = _signature(descriptor)
    match Life.DEAD if signed is None else life_of(signed):
        case Life.DEAD:
            return None
        case Life.ALIVE:
            return _held_by(signed, path)
        case Life.UNKNOWN:
            return LockError(
                fault=LockFault.ELSEWHERE,
                path=str(path),
                message=f"{path} is locked by {signed}",
                owner=signed,
                hint=f"if that process has ended, remove `{path}`",
            )


def _held_by(owner: Owner | None, path: Path) -> LockError:
    return LockError(
        fault=LockFault.HELD,
        path=str(path),
        message=f"{path} is locked by {owner or 'another process'}",
        owner=owner,
    )


def _unavailable(path: Path, error: OSError) -> LockError:
    unsupported = error.errno in {errno.ENOLCK, errno.ENOTSUP}
    return LockError(
        fault=LockFault.UNAVAILABLE,
        path=str(path),
        message=f"cannot lock {path}: {error.strerror or error}",
        hint="keep the repository on a file system with locks" if unsupported else None,
    )


def _signature(descriptor: int) -> Owner | None:
    return read_owner(os.pread(descriptor, _SIGNATURE_BYTES, 0))


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


# A forked child shares the open file, and with it the kernel's lock: it must not keep the lock
# of a parent that dies. (A child that runs another program closes the file by itself.)
_held: Final[set[FileLock]] = set()


def _forget_in_child() -> None:
    for lock in tuple(_held):
        lock.forget()


os.register_at_fork(after_in_child=_forget_in_child)
