"""Several fibers at once: workers that pull jobs from a schedule and push results back.

There is no task per waiting job. A worker takes jobs until none is ready; the group makes
another worker when a job is ready and there is room. Where the driver allows it, a worker
runs up to its first wait at once, so jobs that never wait cost no task at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

from returns.result import Success

from anabranch.effects.core import Exit
from anabranch.effects.schedules import Job, Schedule
from anabranch.interpreters.machine import Fiber
from anabranch.interpreters.requests import (
    FAILED,
    OK,
    RAISED,
    Request,
    Span,
    World,
    Yield,
)

_TURN = 63
"""A worker lets others have a turn after each 64 jobs (a mask)."""


@final
class Group:
    """One run of a `Par` node. The driver connects itself before it goes on with workers."""

    def __init__(
        self,
        world: World,
        schedule: Schedule,
        limit: int | None,
        *,
        env: Any,
        span: Span | None,
        eager: bool,
        depth: int,
    ) -> None:
        self.active = 0
        self.stopped = False
        self._world = world
        self._schedule = schedule
        self._limit = limit
        self._env = env
        self._span = span
        self._eager = eager
        self._depth = depth
        self._growing = False
        self._defects: list[Exception] = []
        self._interrupt: BaseException | None = None
        self._started: list[tuple[Worker, Request | None]] = []
        self._spawn: Callable[[Worker, Request | None], object] | None = None
        self._cancel: Callable[[], object] | None = None

    def start(self) -> tuple[tuple[Worker, Request | None], ...]:
        """Make the first workers; those that wait already, or have not begun, come back."""
        self.grow()
        return tuple(self._started)

    def connect(
        self, spawn: Callable[[Worker, Request | None], object], cancel: Callable[[], object]
    ) -> None:
        """Say how later workers are started, and how all of them are cancelled."""
        self._spawn, self._cancel = spawn, cancel
        if self.stopped:
            cancel()

    def room(self) -> bool:
        """Whether another worker may be made."""
        return not self._growing and (self._limit is None or self.active < self._limit)

    def grow(self) -> None:
        """Make workers while jobs are ready and there is room."""
        self._growing = True
        try:
            while (self._limit is None or self.active < self._limit) and not self._hire():
                pass
        finally:
            self._growing = False

    def _hire(self) -> bool:
        """Make one worker; `True` if there is no point in making another now."""
        job = self.pull()
        if job is None:
            return True
        self.active += 1
        worker = Worker(
            self, job, Fiber(self._world, job[1], self._env, span=self._span, depth=self._depth)
        )
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
            return self._schedule.pull()
        except Exception as defect:  # noqa: BLE001 (kept, and raised by `outcome`)
            self._defect(defect)
            self.stop()
            return None

    def ended(self, key: Any, mode: Exit, payload: Any) -> None:
        """Take the end of a job."""
        try:
            if mode is OK:
                over = self._schedule.succeeded(key, payload)
            elif mode is FAILED:
                over = self._schedule.failed(key, payload)
            else:
                over = self._defect(payload)
        except Exception as defect:  # noqa: BLE001 (as above)
            over = self._defect(defect)
        if over:
            self.stop()

    def _defect(self, defect: Exception) -> bool:
        self._defects.append(defect)
        return self._schedule.aborted()

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
class Worker:
    """A fiber that takes job after job. Drivers treat it as a fiber.

    It ends with `OK` when there is no more to do, or `RAISED` with a cancellation that
    must go on to the driver.
    """

    __slots__ = ("_fiber", "_group", "_key", "_turns", "mode", "payload")

    def __init__(self, group: Group, job: Job, fiber: Fiber) -> None:
        self.mode: Exit = OK
        self.payload: Any = None
        self._group = group
        self._key = job[0]
        self._fiber = fiber
        self._turns = 0

    def advance(self, mode: Exit, payload: Any) -> Request | None:
        """Go on with the answer to the last request; the same contract as a fiber's."""
        fiber, group = self._fiber, self._group
        while True:
            request = fiber.advance(mode, payload)
            if request is not None:
                return request
            if fiber.mode is RAISED and not isinstance(fiber.payload, Exception):
                self._leave(RAISED, fiber.payload)
                group.interrupted(fiber.payload)
                return None
            group.ended(self._key, fiber.mode, fiber.payload)
            job = group.pull()
            if job is None:
                self._leave(OK, None)
                return None
            self._key = job[0]
            fiber.restart(job[1])
            if group.room():
                group.grow()
            mode, payload = OK, None
            self._turns += 1
            if not self._turns & _TURN:
                return Yield(shielded=False)

    def _leave(self, mode: Exit, payload: Any) -> None:
        self.mode, self.payload = mode, payload
        self._group.active -= 1
