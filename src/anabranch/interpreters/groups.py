"""Several fibers at once: workers that pull jobs from a schedule and push results back.

There is no task per waiting job. A worker is a fiber with `Work` at the bottom of its stack:
when the effect above it ends, it tells the schedule and puts the next effect in its
place, until none is ready. The group makes another worker when a job is ready and there is
room. Where the driver allows it, a worker runs up to its first wait at once, so jobs that
never wait cost no task at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, final

from returns.result import Success

from anabranch.effects.core import Effect, Exit
from anabranch.effects.schedules import Job, Schedule
from anabranch.interpreters.requests import FAILED, OK, RAISED, Request, Yield

if TYPE_CHECKING:
    from anabranch.interpreters.machine import Fiber


@final
class Group:
    """One run of a `Par` node. The driver connects itself before it goes on with workers."""

    def __init__(
        self,
        schedule: Schedule,
        limit: int | None,
        hire: Callable[[Effect[Any, Any, Any], Work], Fiber],
        *,
        eager: bool,
    ) -> None:
        self.active = 0
        self.stopped = False
        self.growing = False
        self.limit = math.inf if limit is None else limit
        self.next_job = schedule.pull
        self.succeeded = schedule.succeeded
        self.failed = schedule.failed
        self._schedule = schedule
        self._worker = hire
        self._eager = eager
        self._defects: list[Exception] = []
        self._interrupt: BaseException | None = None
        self._started: list[tuple[Fiber, Request | None]] = []
        self._spawn: Callable[[Fiber, Request | None], object] | None = None
        self._cancel: Callable[[], object] | None = None

    def start(self) -> tuple[tuple[Fiber, Request | None], ...]:
        """Make the first workers; those that wait already, or have not begun, come back."""
        self.grow()
        return tuple(self._started)

    def connect(
        self, spawn: Callable[[Fiber, Request | None], object], cancel: Callable[[], object]
    ) -> None:
        """Say how later workers are started, and how all of them are cancelled."""
        self._spawn, self._cancel = spawn, cancel
        if self.stopped:
            cancel()

    def grow(self) -> None:
        """Make workers while jobs are ready and there is room."""
        self.growing = True
        try:
            while self.active < self.limit and not self._hire():
                pass
        finally:
            self.growing = False

    def _hire(self) -> bool:
        """Make one worker; `True` if there is no point in making another now."""
        job = self.pull()
        if job is None:
            return True
        key, effect = job
        self.active += 1
        worker = self._worker(effect, Work(self, key))
        request = worker.advance(OK, None) if self._eager else None
        if request is None and self._eager:
            return self.stopped
        if self._spawn is None:
            self._started.append((worker, request))
        else:
            self._spawn(worker, request)
        return type(request) is Yield

    def pull(self) -> Job | None:
        """The next job, unless all is over."""
        if self.stopped:
            return None
        try:
            return self.next_job()
        except Exception as defect:  # noqa: BLE001 (kept, and raised by `outcome`)
            self.broke(defect)
            self.stop()
            return None

    def broke(self, defect: Exception) -> None:
        """Take an exception: of a job, of the iterable, of a function that folds."""
        self._defects.append(defect)
        if self._schedule.aborted():
            self.stop()

    def interrupted(self, cause: BaseException) -> None:
        """Take what ended a worker and is no defect: a cancellation, or the wish to exit."""
        if not self.stopped:
            self._interrupt = cause
            self.stop()

    def stop(self) -> None:
        """Give no more jobs and cancel the workers that wait."""
        if not self.stopped:
            self.stopped = True
            if self._cancel is not None:
                self._cancel()

    def defect(self) -> Exception | None:
        """What the jobs raised, if they did: the exception, or a group of several."""
        if len(self._defects) > 1:
            return ExceptionGroup("several parallel effects raised", self._defects)
        return self._defects[0] if self._defects else None

    def outcome(self) -> tuple[Exit, Any]:
        """How the group ended, once all workers have."""
        if (raised := self._interrupt or self.defect()) is not None:
            return RAISED, raised
        result = self._schedule.finish()
        if isinstance(result, Success):
            return OK, result.unwrap()
        return FAILED, result.failure()


@final
class Work:
    """The frame at the bottom of a worker's stack: which job the worker has, by its key."""

    __slots__ = ("_group", "key")

    def __init__(self, group: Group, key: Any) -> None:
        self._group = group
        self.key = key

    def succeeded(self, value: Any) -> Any:
        """Hand over the value of the job; the effect of the next one, if there is one."""
        group = self._group
        try:
            if group.succeeded(self.key, value):
                group.stop()
            job = None if group.stopped else group.next_job()
        except Exception as defect:  # noqa: BLE001 (kept, and raised by the group's `outcome`)
            group.broke(defect)
            job = group.pull()
        return self._take(job)

    def failed(self, error: Any) -> Effect[Any, Any, Any] | None:
        """Hand over the error of the job; the effect of the next one, if there is one."""
        group = self._group
        try:
            if group.failed(self.key, error):
                group.stop()
        except Exception as defect:  # noqa: BLE001 (as above)
            group.broke(defect)
        return self._take(self._group.pull())

    def raised(self, error: BaseException) -> Effect[Any, Any, Any] | None:
        """Hand over the exception of the job; a cancellation ends the worker."""
        if isinstance(error, Exception):
            self._group.broke(error)
            return self._take(self._group.pull())
        self._group.active -= 1
        self._group.interrupted(error)
        return None

    def _take(self, job: Job | None) -> Effect[Any, Any, Any] | None:
        group = self._group
        if job is None:
            group.active -= 1
            return None
        self.key, effect = job
        if group.active < group.limit and not group.growing:
            group.grow()
        return effect
