from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from anabranch.values import format_duration, parse_duration

seconds = st.integers(min_value=0, max_value=10**7)


@given(seconds)
def test_whole_minutes_survive_writing_and_reading(minutes: int) -> None:
    duration = timedelta(minutes=minutes)
    assert duration == parse_duration(format_duration(duration))


@given(seconds)
def test_a_number_is_a_number_of_seconds(count: int) -> None:
    assert timedelta(seconds=count) == parse_duration(count) == parse_duration(str(count))
