from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from anabranch.planning.backoff import Exponential, Fixed
from anabranch.planning.retries import GiveUp, GiveUpReason, Retry, RetryPolicy
from anabranch.values import ConfigError, UsageError
from tests.cases import Case, table


def policy_of(given: dict[str, Any]) -> RetryPolicy:
    cap, attempts = given["max"], given["n"] + 1
    match given["b"]:
        case "fixed":
            return RetryPolicy.fixed(given["init"], cap=cap, max_attempts=attempts)
        case "linear":
            return RetryPolicy.linear(
                given["init"], increment=given["inc"], cap=cap, max_attempts=attempts
            )
        case "exponential":
            return RetryPolicy.exponential(
                given["init"], base=given["base"], cap=cap, max_attempts=attempts
            )
        case "fibonacci":
            return RetryPolicy.fibonacci(given["init"], cap=cap, max_attempts=attempts)
        case _:
            return RetryPolicy.custom(given["delays"], cap=cap, max_attempts=attempts)


@pytest.mark.parametrize("case", table("backoff_delays"))
def test_the_delays_are_those_of_the_table(case: Case) -> None:
    policy = policy_of(case.given)
    delays = [policy.delay(n).total_seconds() for n in range(1, case.given["n"] + 1)]
    assert case.expected["r"] == delays


def test_the_last_attempt_is_followed_by_giving_up() -> None:
    policy = RetryPolicy.fixed("1s", max_attempts=3)
    decisions = [policy.decide(n, timedelta()) for n in (1, 2, 3)]
    again = Retry(timedelta(seconds=1))
    assert [again, again, GiveUp(GiveUpReason.ATTEMPTS)] == decisions


def test_one_attempt_is_no_retry() -> None:
    assert GiveUp(GiveUpReason.ATTEMPTS) == RetryPolicy.fixed(max_attempts=1).decide(1, timedelta())


def test_an_attempt_may_start_exactly_when_the_budget_ends_and_no_later() -> None:
    policy = RetryPolicy.fixed("2s", budget="10s")
    assert Retry(timedelta(seconds=2)) == policy.decide(4, timedelta(seconds=8))
    late = timedelta(seconds=8, microseconds=1)
    assert GiveUp(GiveUpReason.BUDGET) == policy.decide(4, late)


def test_a_listed_policy_without_a_cap_repeats_its_last_delay() -> None:
    policy = RetryPolicy.custom(["1s", "5s"], max_attempts=9)
    assert [1, 5, 5] == [policy.delay(n).seconds for n in (1, 2, 3)]


def test_a_policy_for_ever_must_be_asked_for_by_name() -> None:
    policy = RetryPolicy.forever(Fixed("1s"))
    assert Retry(timedelta(seconds=1)) == policy.decide(10**9, timedelta(days=999))
    with pytest.raises(ConfigError, match="a retry policy needs a bound"):
        RetryPolicy.exponential("1s")


@pytest.mark.parametrize(
    "make",
    [
        lambda: RetryPolicy.fixed(0, budget="1m"),
        lambda: RetryPolicy.fixed("1s", cap=0, budget="1m"),
        lambda: RetryPolicy.exponential("1s", base=0.5, budget="1m"),
        lambda: RetryPolicy.custom([1, 0], budget="1m"),
        lambda: RetryPolicy.forever(Fixed(0)),
    ],
)
def test_a_policy_that_could_spin_needs_a_maximum_of_attempts(make: Any) -> None:
    with pytest.raises(ConfigError, match="would spin"):
        make()


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        RetryPolicy.fixed("1s", max_attempts=0, jitter=float("nan"))
    assert ["max_attempts", "jitter"] == [p.where.path for p in caught.value.problems]


@pytest.mark.parametrize("base", [0, -1, float("inf"), float("nan")])
def test_a_base_that_is_no_growth_is_refused(base: float) -> None:
    with pytest.raises(ConfigError, match="a finite number above 0"):
        Exponential("1s", base)


def test_a_bound_contradicts_for_ever() -> None:
    with pytest.raises(ConfigError, match="for ever has no bound"):
        RetryPolicy(backoff=Fixed("1s"), max_attempts=3, unbounded=True)


def test_an_empty_list_of_delays_needs_a_cap() -> None:
    with pytest.raises(ConfigError, match="needs a `cap`"):
        RetryPolicy.custom([], max_attempts=3)


def test_attempts_count_from_one() -> None:
    with pytest.raises(UsageError, match="count from 1: 0"):
        RetryPolicy.fixed(max_attempts=2).delay(0)


def test_delays_that_outgrow_a_timedelta_stay_at_its_maximum() -> None:
    policies = [
        RetryPolicy.linear("1s", increment="1s", max_attempts=2),
        RetryPolicy.exponential("1s", base=10, max_attempts=2),
        RetryPolicy.fibonacci("1s", max_attempts=2),
    ]
    assert [timedelta.max] * 3 == [policy.delay(10**30) for policy in policies]
