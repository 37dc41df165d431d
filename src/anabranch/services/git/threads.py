"""Blocking work off the event loop: one piece after the other, and what takes long beside it.

Most of what a run asks of git takes a fraction of a millisecond and many small system calls. Threads
that do so at the same time only get into each other's way, for Python's lock changes hands at each
call. So all of it is given to one thread in turn. Whatever is about to wait for long, for a process
or for a disk, *steps aside* first: it goes on where it is, and another thread takes over the turn.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final, Generic, TypeVar, final

import anyio
from anyio import CancelScope, CapacityLimiter, to_thread
from anyio.lowlevel import RunVar, checkpoint_if_cancelled, current_token

from anabranch.services.event_loops import call_soon

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_THREADS: Final = 16

_limiter: RunVar[CapacityLimiter] = RunVar("anabranch_git_threads")


async def in_thread(function: Callable[[], T]) -> T:
    """Run what takes long in a worker thread, to its end also if the caller is cancelled.

    The threads are not those of `anyio.to_thread`'s default: long commands may hold those.
    """
    try:
        limiter = _limiter.get()
    except LookupError:
        limiter = CapacityLimiter(_THREADS)
        _limiter.set(limiter)
    return await to_thread.run_sync(function, limiter=limiter)


class _Here(threading.local):
    """Which lane this thread serves."""

    lane: Lane | None = None


_here: Final = _Here()


def step_aside() -> None:
    """Let others take their turn from now on, since what comes next may take long."""
    lane = _here.lane
    if lane is not None:
        lane.begin()
        _here.lane = None


@final
class Lane:
    """A turn, and the threads that take it: one at a time, and beside it those that stepped aside.

    So many are let in at once; that they wait here, and not for a thread, means that they hold no
    lock while they do.
    """

    def __init__(self) -> None:
        self._jobs = SimpleQueue[_Job[object] | None]()
        self._room = anyio.Semaphore(_THREADS, fast_acquire=True)
        self._begun = False

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function in its turn, to its end also if the caller is cancelled."""
        await checkpoint_if_cancelled()
        async with self._room:
            job = _Job(function)
            if not self._begun:
                self.begin()
                self._begun = True
            self._jobs.put(job)
            with CancelScope(shield=True):
                await job.ended.wait()
        return job.outcome()

    def begin(self) -> None:
        """Let another thread take the turns from now on.

        Raises:
            OSError: there cannot be another.
        """
        try:
            threading.Thread(target=self._serve, name="anabranch-git", daemon=True).start()
        except RuntimeError as error:
            raise BlockingIOError(errno.EAGAIN, f"{error}: see `ulimit -u`") from None

    def close(self) -> None:
        """End the thread, once everything has been done that was asked for. Twice is once.

        What is asked for later begins another one.
        """
        if self._begun:
            self._begun = False
            self._jobs.put(None)

    def _serve(self) -> None:
        _here.lane = self
        while (job := self._jobs.get()) is not None:
            job.do()
            if _here.lane is not self:
                break


@final
class _Job(Generic[T_co]):
    """A piece of work, and how it ended."""

    def __init__(self, function: Callable[[], T_co]) -> None:
        self.ended = anyio.Event()
        self._function = function
        self._token = current_token()
        self._answer: T_co
        self._error: BaseException | None = None

    def do(self) -> None:
        """Do it, and tell whoever waits for it."""
        try:
            self._answer = self._function()
        except BaseException as error:  # noqa: BLE001 (belongs to whoever waits)
            self._error = error
        call_soon(self._token, self.ended.set)

    def outcome(self) -> T_co:
        """What came of it."""
        if self._error is not None:
            raise self._error
        return self._answer
