from __future__ import annotations

from datetime import timedelta

from anabranch.lifecycle import Committed, Declared, MergeFailed, Spread, fold, measure
from anabranch.lifecycle.metrics import spread
from tests.lifecycle.histories import AGAIN, C, Q, R, V, agent, history, merged, moves


def seconds(*numbers: float) -> list[timedelta]:
    return [timedelta(seconds=n) for n in numbers]


def test_no_durations_spread_over_nothing() -> None:
    none = timedelta()
    assert Spread(count=0, total=none, least=none, median=none, p95=none, most=none) == spread([])


def test_order_statistics_are_durations_that_were_there() -> None:
    found = spread(seconds(*range(1, 101)))
    assert seconds(1, 50, 95, 100) == [found.least, found.median, found.p95, found.most]


def test_a_life_is_from_the_first_start_to_the_end() -> None:
    state = fold(history(agent("a"), *moves("a", Q, R, AGAIN, Q, R, V, C)))
    figures = measure(state)
    assert (1, timedelta(seconds=5)) == (figures.agents.count, figures.agents.total)
    assert (0, 2, 1) == (figures.steps.count, figures.starts, figures.retries)


def test_waiting_is_from_queue_to_start_each_time() -> None:
    events = history(Declared(subject="a"), *moves("a", Q, R, AGAIN, Q, R))
    assert seconds(2, 1, 1) == [
        measure(fold(events)).waiting.total,
        measure(fold(events)).waiting.least,
        measure(fold(events)).waiting.most,
    ]


def test_git_figures_add_up() -> None:
    figures = measure(
        fold(
            history(
                agent("a"),
                agent("b"),
                Committed(subject="a", commit="c1", insertions=3, deletions=1),
                Committed(subject="a", commit="c2", insertions=4),
                Declared(subject="a/step[0]", parent="a"),
                Committed(subject="a/step[0]", commit="c1", insertions=3, deletions=1),
                merged("a"),
                MergeFailed(subject="b", fault="conflict"),
            )
        )
    )
    assert (2, 7, 1) == (figures.commits, figures.insertions, figures.deletions)
    assert (1, 1) == (figures.merges, figures.conflicts)
