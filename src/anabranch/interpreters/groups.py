"""Several fibers at once: workers that pull jobs from a schedule and push results back.

There is no task per waiting job. A worker is a fiber with a group: when the effect that it runs
ends, it tells the group's schedule and begins with the next one, until none is ready. Then it
has ended for its driver, and rests: the group hires it again, before it makes another, when a job
is ready and there is room. Where the driver allows it, a worker runs up to its first wait at
once, so jobs that never wait cost no task at all.

Every job begins in the context variables of the place where the group began. A worker runs in a
context of its own; when a job has changed that, its worker ends for good and another takes the
next job.
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
        make: Callable[[Effect[Any, Any, Any], Group, Any], Fiber],
        *,
        eager: bool,
    ) -> None:
        self.short = True
        self.stopped = False
        self.context = copy_context()
        self.next_job = schedule.pull
        self.schedule = schedule
        self._taken = schedule.succeeded
        self._limit = math.inf if limit is None else limit
        self._active = 0
        self._growing = False
        self._make = make
        self._resting: list[tuple[Fiber, Context]] = []
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
        """Hire the first workers; whether any of them waits already, or has not begun."""
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
        started, self._started = self._started, []
        for each in started:
            spawn(*each)

    def grow(self) -> None:
        """Hire workers while jobs are ready and there is room."""
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
        """Hire one worker; `True` if there is no point in hiring another now.

        A worker that used up its slice may never wait, and then needs no help. When it goes on,
        another is hired.
        """
        key, effect = job
        self._active += 1
        self.short = self._active < self._limit
        if self._resting:
            worker, context = self._resting.pop()
            worker.begin(effect, key)
        else:
            worker, context = self._make(effect, self, key), self.context.copy()
        request = context.run(worker.advance, OK, None) if self._eager else None
        if request is None and self._eager:
            return False
        if request is YIELD:
            worker.before_it_goes_on(self.grow)
        if self._spawn is None:
            self._started.append((worker, request, context))
        else:
            self._spawn(worker, request, context)
        return request is YIELD

    def succeeded(self, worker: Fiber, value: Any) -> Any:
        """Take the value of a worker's job; the effect of its next one, if there is one."""
        try:
            if self._taken(worker.job, value):
                self.stop()
        except Exception as defect:  # noqa: BLE001 (of a fold's step: kept, and raised by `outcome`)
            self.broke(defect)
        context = copy_context()
        if self.short or context != self.context:
            return self._next(worker, context)
        try:
            job = self.next_job()
        except Exception as defect:  # noqa: BLE001 (of what gives the jobs; as above)
            self.dried_up(defect)
            job = None
        if job is None:
            self._rest(worker, context)
            return None
        worker.job, effect = job
        return effect

    def failed(self, worker: Fiber, error: Any) -> Effect[Any, Any, Any] | None:
        """Take the error of a worker's job; the effect of its next one, if there is one."""
        if self.schedule.failed(worker.job, error):
            self.stop()
        return self._next(worker, copy_context())

    def raised(self, worker: Fiber, error: BaseException) -> Effect[Any, Any, Any] | None:
        """Take the exception of a worker's job; a cancellation ends the worker."""
        if isinstance(error, Exception):
            self.broke(error)
            return self._next(worker, copy_context())
        self._left()
        self.interrupted(error)
        return None

    def _next(self, worker: Fiber, context: Context) -> Effect[Any, Any, Any] | None:
        """Another job, unless the last one has changed the context; perhaps more workers."""
        if context != self.context:
            self._left()
            self.grow()
            return None
        job = self.pull()
        if job is None:
            self._rest(worker, context)
            return None
        if self.short and self.schedule.more:
            self.grow()
        worker.job, effect = job
        return effect

    def _rest(self, worker: Fiber, context: Context) -> None:
        """There is no job for a worker; it can be hired again, in these context variables."""
        self._left()
        if not self.stopped:
            self._resting.append((worker, context))

    def _left(self) -> None:
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
            self._resting.clear()
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
        self._spawn = None
        self._resting.clear()
        if (raised := self._interrupt or self.defect()) is not None:
            return RAISED, raised
        result = self.schedule.finish()
        if isinstance(result, Success):
            return OK, result.unwrap()
        return FAILED, result.failure()


def _nothing() -> None:
    """No job."""
