from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from anabranch.planning.policies import (
    AttemptFailure,
    FailurePolicy,
    OnItemFailure,
    RetryAfter,
    Stop,
    Tally,
    decide,
    stop_reason,
)
from anabranch.testing.strategies.planning import durations, failure_policies

counts = st.integers(0, 30)
tallies = st.builds(Tally, completed=counts, failed=counts)
failures = st.builds(
    AttemptFailure,
    agent=st.text(max_size=3),
    attempt=st.integers(1, 60),
    elapsed=durations(),
    error=st.sampled_from(["", "HTTP 503", "timed out", "connection refused"]),
)


@given(failure_policies(), tallies, failures)
def test_a_decision_is_a_function_of_its_arguments(
    policy: FailurePolicy, tally: Tally, failure: AttemptFailure
) -> None:
    assert decide(policy, tally, failure) == decide(evolve(policy), evolve(tally), evolve(failure))


@given(failure_policies(), counts)
def test_nothing_stops_a_run_in_which_nothing_failed(policy: FailurePolicy, completed: int) -> None:
    assert stop_reason(policy, Tally(completed=completed)) is None


@given(failure_policies(), tallies, st.integers(1, 20))
def test_what_stops_a_run_stops_it_also_after_more_failures(
    policy: FailurePolicy, tally: Tally, more: int
) -> None:
    if stop_reason(policy, tally):
        assert stop_reason(policy, evolve(tally, failed=tally.failed + more))


@given(failure_policies(), tallies, failures)
def test_a_stop_is_what_the_counts_with_this_item_say(
    policy: FailurePolicy, tally: Tally, failure: AttemptFailure
) -> None:
    decision = decide(policy, tally, failure)
    if not isinstance(decision, RetryAfter):
        reason = stop_reason(policy, evolve(tally, failed=tally.failed + 1))
        assert reason == (decision.reason if isinstance(decision, Stop) else None)
        assert decision.keep is (policy.on_item_failure is not OnItemFailure.SKIP)


@given(failure_policies(), tallies, tallies, failures)
def test_how_other_items_fared_decides_nothing_about_trying_this_one_again(
    policy: FailurePolicy, tally: Tally, other: Tally, failure: AttemptFailure
) -> None:
    first, second = decide(policy, tally, failure), decide(policy, other, failure)
    assert isinstance(first, RetryAfter) is isinstance(second, RetryAfter)
    if isinstance(first, RetryAfter):
        assert first == second


@given(failure_policies(), failures)
def test_attempts_never_exceed_the_maximum_of_the_retry_policy(
    policy: FailurePolicy, failure: AttemptFailure
) -> None:
    if isinstance(decide(policy, Tally(), failure), RetryAfter) and policy.retry is not None:
        assert failure.attempt < (policy.retry.max_attempts or failure.attempt + 1)
