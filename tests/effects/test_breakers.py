from __future__ import annotations

from datetime import timedelta
from typing import Never

from returns.result import Failure, Result, Success

from anabranch import (
    CircuitBreaker,
    CircuitOpen,
    Do,
    Effect,
    circuit_breaker,
    do,
    fail,
    from_function,
    now,
    sleep,
    succeed,
)
from anabranch.testing import run_virtual

SETTINGS = CircuitBreaker(
    failure_threshold=2, success_threshold=1, timeout=timedelta(seconds=30), half_open_requests=1
)


def test_it_opens_after_failures_refuses_without_calling_and_closes_again() -> None:
    answers = ["down", "down", None, None]
    calls: list[str | None] = []

    def call(_: object) -> Result[int, str]:
        calls.append(answers[len(calls)])
        return Success(1) if calls[-1] is None else Failure(calls[-1])

    @do
    def program() -> Do[list[object], Never, object]:
        breaker = yield from circuit_breaker(SETTINGS)
        once = breaker.protect(from_function(call)).settled()
        told: list[object] = []
        for pause in (0, 0, 10, 20, 0):
            yield from sleep(pause)
            told.append((yield from once))
        return told

    expected = [
        Failure("down"),
        Failure("down"),
        Failure(CircuitOpen(timedelta(seconds=20))),
        Success(1),
        Success(1),
    ]
    assert Success(expected) == run_virtual(program()).result
    assert ["down", "down", None, None] == calls


def test_it_stays_open_for_its_time_from_the_last_failure_on() -> None:
    calls: list[float] = []

    def call(_: None) -> Effect[None, str, object]:
        return now().map(calls.append).and_then(lambda _: fail("down"))

    @do
    def program() -> Do[None, Never, object]:
        breaker = yield from circuit_breaker(SETTINGS)
        once = breaker.protect(succeed(None).and_then(call)).settled()
        for pause in (100, 5, 29, 1):
            yield from sleep(pause)
            yield from once

    run_virtual(program())
    assert [100, 105, 135] == calls
