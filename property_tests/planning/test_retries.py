from __future__ import annotations

from datetime import timedelta

from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from anabranch.planning.retries import GiveUp, GiveUpReason, Retry, RetryPolicy
from anabranch.testing.strategies.planning import durations, retry_policies

attempts = st.integers(1, 100) | st.integers(1, 10**18)


@given(retry_policies(), attempts)
def test_a_delay_is_a_function_of_policy_and_attempt(policy: RetryPolicy, attempt: int) -> None:
    assert policy.delay(attempt) == evolve(policy).delay(attempt)


@given(retry_policies(), attempts)
def test_no_delay_is_negative_or_longer_than_the_cap(policy: RetryPolicy, attempt: int) -> None:
    assert timedelta() <= policy.delay(attempt) <= (policy.cap or timedelta.max)


@given(retry_policies(), attempts)
def test_jitter_only_shortens_and_by_no_more_than_its_share(
    policy: RetryPolicy, attempt: int
) -> None:
    whole = evolve(policy, jitter=0.0).delay(attempt)
    jittered = policy.delay(attempt)
    over, under = policy.jitter.as_integer_ratio()
    assert jittered <= whole
    assert (
        whole - jittered
    ) // timedelta.resolution * under <= whole // timedelta.resolution * over


@given(retry_policies(), attempts)
def test_jitter_never_takes_a_delay_away_altogether(policy: RetryPolicy, attempt: int) -> None:
    assume(evolve(policy, jitter=0.0).delay(attempt))
    assert timedelta() < policy.delay(attempt)


@given(retry_policies(), attempts, durations())
def test_it_gives_up_exactly_when_a_bound_is_reached(
    policy: RetryPolicy, attempt: int, elapsed: timedelta
) -> None:
    delay = policy.delay(attempt)
    if policy.max_attempts is not None and attempt >= policy.max_attempts:
        expected: Retry | GiveUp = GiveUp(GiveUpReason.ATTEMPTS)
    elif policy.budget is not None and delay > policy.budget - elapsed:
        expected = GiveUp(GiveUpReason.BUDGET)
    else:
        expected = Retry(delay)
    assert expected == policy.decide(attempt, elapsed)


@given(retry_policies(), durations(longest=timedelta(seconds=1)))
def test_attempts_never_exceed_the_maximum_nor_start_after_the_budget(
    policy: RetryPolicy, duration: timedelta
) -> None:
    assume(policy.max_attempts is not None)
    attempt, started = 1, timedelta()
    while isinstance(decision := policy.decide(attempt, started + duration), Retry):
        if decision.delay > timedelta(days=10**6):
            break
        attempt, started = attempt + 1, started + duration + decision.delay
    assert attempt <= (policy.max_attempts or 0)
    assert started <= (policy.budget or timedelta.max)


@given(retry_policies(), st.integers(), st.integers(1, 50))
def test_without_jitter_the_seed_changes_nothing(
    policy: RetryPolicy, seed: int, attempt: int
) -> None:
    plain = evolve(policy, jitter=0.0)
    assert plain.delay(attempt) == plain.seeded(seed).delay(attempt)
