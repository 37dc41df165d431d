"""Several fibers at once: workers that pull jobs from a schedule and push results back.

There is no task per waiting job. A worker is a fiber with `Work`: when the effect that it runs
ends, it tells the schedule and begins with the next one, until none is ready. The group makes
another worker when a job is ready and there is room. Where the driver allows it, a worker runs
up to its first wait at once, so jobs that never wait cost no task at all.

Every job begins in the context variables of the place where the group began. A worker runs in a
context of its own; when a job has changed that, its worker ends and another takes the next job.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, final

from returns.result import Success

from anabranch.effects.core import Effect, Exit
from anabranch.effects.schedules import Job, Schedule
from anabranch.interpreters.requests import FAILED, OK, RAISED, YIELD, Request

if TYPE_CHECKING:
    from anabranch.interpreters.machine import Fiber


@final
class Group:
    """One run of a `Par` node. The driver connects itself before it goes on with workers.

    Attributes:
        short: there are fewer workers than the limit, or no more jobs are given out.
        stopped: no more jobs are given out.
        schedule: which jobs there are, and when it is over.
        context: the context variables with which every job begins.
    """

    def __init__(
        self,
        schedule: Schedule,
        limit: int | None,
        hire: Callable[[Effect[Any, Any, Any], Work], Fiber],
        *,
        eager: bool,
    ) -> None:
        self.short = True
        self.stopped = False
        self.context = copy_context()
        self.next_job = schedule.pull
        self.succeeded = schedule.succeeded
        self.failed = schedule.failed
        self.schedule = schedule
        self._limit = math.inf if limit is None else limit
        self._active = 0
        self._growing = False
        self._worker = hire
        self._eager = eager
        self._defects: list[Exception] = []
        self._interrupt: BaseException | None = None
        self._started: list[tuple[Fiber, Request | None, Context]] = []
        self._spawn: Callable[[Fiber, Request | None, Context], object] | None = None
        self._cancel: Callable[[], object] | None = None

    @property
    def workers(self) -> int:
        """How many there are now."""
        return self._active

    def start(self) -> bool:
        """Make the first workers; whether any of them waits already, or has not begun."""
        self.grow()
        return bool(self._started)

    def connect(
        self,
        spawn: Callable[[Fiber, Request | None, Context], object],
        cancel: Callable[[], object],
    ) -> None:
        """Say how workers are driven, and how all of them are cancelled; drive the first ones.

        `spawn` is given the context variables that the worker is to have.
        """
        self._spawn, self._cancel = spawn, cancel
        if self.stopped:
            cancel()
        for started in self._started:
            spawn(*started)

    def grow(self) -> None:
        """Make workers while jobs are ready and there is room."""
        if self._growing:
            return
        self._growing = True
        try:
            while self.short and (job := self.pull()) is not None:
                if self._hire(job):
                    break
        finally:
            self._growing = False

    def _hire(self, job: Job) -> bool:
        """Make one worker; `True` if there is no point in making another now.

        A worker that used up its slice may never wait, and then needs no help. When it goes on,
        another is made.
        """
        key, effect = job
        self._active += 1
        self.short = self._active < self._limit
        worker, context = self._worker(effect, Work(self, key)), self.context.copy()
        request = context.run(worker.advance, OK, None) if self._eager else None
        if request is None and self._eager:
            return self.stopped
        if request is YIELD:
            worker.before_it_goes_on(self.grow)
        if self._spawn is None:
            self._started.append((worker, request, context))
        else:
            self._spawn(worker, request, context)
        return request is YIELD

    def left(self) -> None:
        """A worker has ended."""
        self._active -= 1
        self.short = True

    def pull(self) -> Job | None:
        """The next job. An iterable that raises has no more of them."""
        try:
            return self.next_job()
        except Exception as defect:  # noqa: BLE001 (kept, and raised by `outcome`)
            self.dried_up(defect)
            return None

    def dried_up(self, defect: Exception) -> None:
        """Take the exception of the iterable, and no more jobs from it."""
        self.next_job = _nothing
        self.short = True
        self.broke(defect)

    def broke(self, defect: Exception) -> None:
        """Take an exception: of a job, of the iterable, of a function that folds."""
        self._defects.append(defect)
        if self.schedule.aborted():
            self.stop()

    def interrupted(self, cause: BaseException) -> None:
        """Take what ended a worker and is no defect: a cancellation, or the wish to exit."""
        if not self.stopped:
            self._interrupt = cause
            self.stop()

    def stop(self) -> None:
        """Give no more jobs and cancel the workers that wait."""
        if not self.stopped:
            self.stopped = self.short = True
            self.next_job = _nothing
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
        result = self.schedule.finish()
        if isinstance(result, Success):
            return OK, result.unwrap()
        return FAILED, result.failure()


def _nothing() -> None:
    """No job."""


@final
class Work:
    """What makes a fiber a worker: which job it has, by its key."""

    __slots__ = ("_group", "_pull", "_succeeded", "key")

    def __init__(self, group: Group, key: Any) -> None:
        self._group = group
        self._pull = group.next_job
        self._succeeded = group.succeeded
        self.key = key

    def succeeded(self, value: Any) -> Any:
        """Hand over the value of the job; the effect of the next one, if there is one."""
        group, taken, pull = self._group, self._succeeded, self._pull
        try:
            if taken(self.key, value):
                group.stop()
        except Exception as defect:  # noqa: BLE001 (kept, and raised by the group's `outcome`)
            group.broke(defect)
            return self._next()
        if group.short or copy_context() != group.context:
            return self._next()
        try:
            job = pull()
        except Exception as defect:  # noqa: BLE001 (as above)
            group.dried_up(defect)
            return self._next()
        if job is None:
            group.left()
            return None
        self.key, effect = job
        return effect

    def failed(self, error: Any) -> Effect[Any, Any, Any] | None:
        """Hand over the error of the job; the effect of the next one, if there is one."""
        group = self._group
        try:
            if group.failed(self.key, error):
                group.stop()
        except Exception as defect:  # noqa: BLE001 (as above)
            group.broke(defect)
        return self._next()

    def raised(self, error: BaseException) -> Effect[Any, Any, Any] | None:
        """Hand over the exception of the job; a cancellation ends the worker."""
        if isinstance(error, Exception):
            self._group.broke(error)
            return self._next()
        self._group.left()
        self._group.interrupted(error)
        return None

    def _next(self) -> Effect[Any, Any, Any] | None:
        """Another job, unless the last one has changed the context; perhaps more workers."""
        group = self._group
        unchanged = copy_context() == group.context
        job = group.pull() if unchanged else None
        if job is None:
            group.left()
        if group.short and group.schedule.more and (job is not None or not unchanged):
            group.grow()
        if job is None:
            return None
        self.key, effect = job
        return effect
