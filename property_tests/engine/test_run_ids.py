"""Ids of runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from anabranch.engine import new_run_id

START = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
STEP = timedelta(microseconds=16)
CENTURIES = timedelta(days=365_000)
spans = st.timedeltas(timedelta(0), CENTURIES)


@given(spans, st.timedeltas(STEP, CENTURIES))
@example(timedelta(0), STEP)
@example(timedelta(microseconds=999_999), STEP)
def test_ids_sort_as_their_runs_began(since: timedelta, later: timedelta) -> None:
    assert new_run_id(START + since) < new_run_id(START + since + later)


@given(spans)
@example(timedelta(microseconds=999_999))
def test_ids_are_all_as_long(since: timedelta) -> None:
    assert len("20261121-093000-5f3a9c") == len(new_run_id(START + since))
