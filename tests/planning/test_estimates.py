from __future__ import annotations

from datetime import timedelta

from anabranch.planning.estimates import Estimate, EstimateSource, estimate_durations

SECOND = timedelta(seconds=1)


def test_what_the_author_said_goes_before_what_history_says() -> None:
    found = estimate_durations(["a"], given={"a": SECOND}, history={"a": [9 * SECOND]})
    assert (Estimate(SECOND, EstimateSource.GIVEN),) == found


def test_one_run_that_hung_does_not_spoil_the_estimate() -> None:
    (found,) = estimate_durations(["a"], history={"a": [SECOND, 3600 * SECOND, 2 * SECOND]})
    assert Estimate(2 * SECOND, EstimateSource.HISTORY) == found


def test_a_step_of_which_nothing_is_known_is_like_the_others() -> None:
    found = estimate_durations(["a", "b", "c"], given={"a": SECOND, "b": 9 * SECOND})
    assert Estimate(SECOND, EstimateSource.GUESS) == found[2]


def test_where_nothing_is_known_at_all_every_step_is_guessed_alike() -> None:
    found = estimate_durations(["a", "b"], history={"a": []})
    assert (Estimate(SECOND, EstimateSource.GUESS),) * 2 == found
