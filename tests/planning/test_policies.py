from __future__ import annotations

from datetime import timedelta

import pytest

from anabranch.planning.error_classes import ErrorClass
from anabranch.planning.policies import (
    AttemptFailure,
    FailureDecision,
    FailurePolicy,
    GoOn,
    OnItemFailure,
    RetryAfter,
    Stop,
    StopCause,
    Tally,
    decide,
    stop_reason,
)
from anabranch.planning.retries import RetryPolicy
from anabranch.values import ConfigError

FIRST = AttemptFailure(attempt=1)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (OnItemFailure.DLQ, GoOn(keep=True)),
        (OnItemFailure.SKIP, GoOn(keep=False)),
        (OnItemFailure.STOP, Stop(reason=StopCause.ON_ITEM_FAILURE, keep=True)),
        (OnItemFailure.RETRY, RetryAfter(timedelta(seconds=1))),
    ],
)
def test_the_first_failure_of_an_item_has_the_consequence_it_was_given(
    action: OnItemFailure, expected: FailureDecision
) -> None:
    assert expected == decide(FailurePolicy(on_item_failure=action), Tally(), FIRST)


def test_an_item_whose_attempts_are_used_up_is_kept() -> None:
    policy = FailurePolicy(on_item_failure=OnItemFailure.RETRY)
    assert GoOn(keep=True) == decide(policy, Tally(), AttemptFailure(attempt=3))


def test_a_retry_policy_applies_whatever_becomes_of_the_item_in_the_end() -> None:
    policy = FailurePolicy(
        on_item_failure=OnItemFailure.STOP, retry=RetryPolicy.fixed("2s", max_attempts=2)
    )
    assert RetryAfter(timedelta(seconds=2)) == decide(policy, Tally(), FIRST)
    assert Stop(reason=StopCause.ON_ITEM_FAILURE, keep=True) == decide(
        policy, Tally(), AttemptFailure(attempt=2)
    )


def test_only_errors_of_the_named_classes_are_tried_again() -> None:
    policy = FailurePolicy(retry=RetryPolicy.fixed(max_attempts=9), retry_on=[ErrorClass.TIMEOUT])
    transient = AttemptFailure(attempt=1, error="timed out after 30s")
    assert RetryAfter(timedelta(seconds=1)) == decide(policy, Tally(), transient)
    assert GoOn(keep=True) == decide(policy, Tally(), AttemptFailure(attempt=1, error="exit 1"))


def test_agents_draw_their_jitter_each_for_itself() -> None:
    policy = FailurePolicy(retry=RetryPolicy.fixed("1h", max_attempts=2, jitter=1.0))
    agents = [AttemptFailure(agent=f"agent-{n}", attempt=1) for n in range(50)]
    assert 50 == len({decide(policy, Tally(), failure) for failure in agents})


def test_without_continuing_the_first_failed_item_stops_the_run() -> None:
    policy = FailurePolicy(continue_on_failure=False)
    assert Stop(reason=StopCause.CONTINUE_ON_FAILURE, keep=True) == decide(policy, Tally(), FIRST)


def test_the_failure_that_reaches_the_maximum_stops_the_run() -> None:
    policy = FailurePolicy(max_failures=3)
    assert GoOn(keep=True) == decide(policy, Tally(failed=1), FIRST)
    assert Stop(reason=StopCause.MAX_FAILURES, keep=True) == decide(policy, Tally(failed=2), FIRST)


def test_the_share_of_failures_is_looked_at_once_ten_items_have_finished() -> None:
    policy = FailurePolicy(failure_threshold=0.5)
    assert stop_reason(policy, Tally(failed=9)) is None
    assert StopCause.FAILURE_THRESHOLD == stop_reason(policy, Tally(failed=10))


def test_a_share_that_equals_the_threshold_is_allowed() -> None:
    policy = FailurePolicy(failure_threshold=0.3)
    assert stop_reason(policy, Tally(completed=7, failed=3)) is None
    assert StopCause.FAILURE_THRESHOLD == stop_reason(policy, Tally(completed=6, failed=4))


def test_everything_out_of_range_is_refused_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        FailurePolicy(max_failures=0, failure_threshold=1.5)
    assert ["max_failures", "failure_threshold"] == [p.where.path for p in caught.value.problems]
