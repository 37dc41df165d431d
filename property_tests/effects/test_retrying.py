"""`retry` tries when its policy says so, and gives up when it says so: not a moment earlier."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from returns.result import Failure, Success

from anabranch import Effect, RetryPolicy, UsageError, fail, now, repeat, retry, sleep, succeed
from anabranch.interpreters.virtual import run_virtual
from anabranch.planning.retries import Retry

policies = st.builds(
    RetryPolicy.exponential,
    st.integers(0, 10),
    max_attempts=st.integers(1, 6),
    budget=st.none() | st.integers(0, 200).map(lambda seconds: timedelta(seconds=seconds)),
    cap=st.none() | st.integers(0, 20).map(lambda seconds: timedelta(seconds=seconds)),
    jitter=st.sampled_from([0.0, 0.5, 1.0]),
    seed=st.integers(0, 9),
)
durations = st.integers(0, 5)


def moments(policy: RetryPolicy, duration: int, failures: int) -> list[timedelta]:
    """When the attempts start, as the policy has it."""
    started = [timedelta()]
    for attempt in range(1, failures + 1):
        ended = started[-1] + timedelta(seconds=duration)
        decision = policy.decide(attempt, ended)
        if not isinstance(decision, Retry):
            break
        started.append(ended + decision.delay)
    return started


def attempts(starts: list[timedelta], duration: int, failures: int) -> Effect[int, str, object]:
    """Fails so often, then succeeds; each attempt takes its time."""

    def end(_: object) -> Effect[int, str, object]:
        count = len(starts)
        return fail(f"attempt {count}") if count <= failures else succeed(count)

    def begin(moment: float) -> None:
        starts.append(timedelta(seconds=moment))

    return now().map(begin).and_then(lambda _: sleep(duration)).and_then(end)


@given(policies, durations, st.integers(0, 8))
def test_attempts_start_when_the_policy_says(
    policy: RetryPolicy, duration: int, failures: int
) -> None:
    starts: list[timedelta] = []
    run = run_virtual(retry(attempts(starts, duration, failures), policy))
    expected = moments(policy, duration, failures)
    assert expected == starts
    last = len(expected)
    assert (Success(last) if last > failures else Failure(f"attempt {last}")) == run.result


@given(policies, durations)
def test_a_failure_that_is_not_worth_it_is_not_tried_again(
    policy: RetryPolicy, duration: int
) -> None:
    starts: list[timedelta] = []
    effect = retry(attempts(starts, duration, 9), policy, retry_if=lambda error: "2" in error)
    assert Failure("attempt 1") == run_virtual(effect).result
    assert [timedelta()] == starts


@given(st.none() | st.integers(1, 6), st.none() | st.integers(1, 6), st.integers(0, 9))
def test_a_repetition_ends_with_its_last_round_or_the_value_that_it_waits_for(
    times: int | None, awaited: int | None, delay: int
) -> None:
    assume(times or awaited)
    rounds: list[None] = []
    counted = succeed(None).map(rounds.append).map(lambda _: len(rounds))

    def until(count: int) -> bool:
        return count == awaited

    effect = repeat(counted, times=times, until=until if awaited else None, delay=delay)
    run = run_virtual(effect)
    last = min(count for count in (times, awaited) if count)
    assert (Success(last), last, (last - 1) * delay) == (run.result, len(rounds), run.elapsed)


@pytest.mark.parametrize("times", [None, 0, -1])
def test_a_repetition_without_a_last_round_is_refused(times: int | None) -> None:
    with pytest.raises(UsageError, match="a repetition needs `times`"):
        repeat(succeed(1), times=times)
    if times is not None:
        with pytest.raises(UsageError, match="a repetition needs `times`"):
            repeat(succeed(1), times=times, until=bool)
