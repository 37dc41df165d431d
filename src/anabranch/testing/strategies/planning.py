"""Hypothesis strategies for planning: retry policies."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from anabranch.planning.backoff import (
    Backoff,
    Custom,
    Exponential,
    Fibonacci,
    Fixed,
    Linear,
    dwindles,
)
from anabranch.planning.retries import RetryPolicy


def durations(*, longest: timedelta = timedelta(days=400)) -> st.SearchStrategy[timedelta]:
    """Durations from nothing to `longest`, often short."""
    return st.one_of(
        st.timedeltas(timedelta(), min(timedelta(seconds=5), longest)),
        st.timedeltas(timedelta(), longest),
    )


def backoffs() -> st.SearchStrategy[Backoff]:
    """Curves of every kind, also those that come to nothing and those that overflow."""
    return st.one_of(
        st.builds(Fixed, durations()),
        st.builds(Linear, durations(), durations()),
        st.builds(Exponential, durations(), st.floats(0.01, 1e6)),
        st.builds(Fibonacci, durations()),
        st.builds(Custom, st.lists(durations(), max_size=5), durations()),
    )


@st.composite
def retry_policies(draw: st.DrawFn) -> RetryPolicy:
    """Policies with a bound: of attempts always where the delays could come to nothing."""
    backoff = draw(backoffs())
    cap = draw(st.none() | durations())
    attempts = st.integers(1, 50)
    spins = dwindles(backoff) or cap == timedelta()
    max_attempts = draw(attempts if spins else st.none() | attempts)
    return RetryPolicy(
        backoff=backoff,
        max_attempts=max_attempts,
        budget=draw(durations() if max_attempts is None else st.none() | durations()),
        cap=cap,
        jitter=draw(st.just(0.0) | st.floats(0, 1)),
        seed=draw(st.integers() | st.text(max_size=5)),
    )
