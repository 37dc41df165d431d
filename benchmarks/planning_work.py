"""Planning a million items against a comprehension and `sorted` written by hand.

    python -m benchmarks.planning_work [items] [rounds]

Both sides filter by three comparisons, sort, take the first thousand and number them. The
rounds are interleaved in one process and the best of each side counts; memory is the peak above
the items themselves, traced in a round of its own.
"""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from anabranch.planning import MapConfig, plan_work_assignments

LIMIT = 1000
Items = list[dict[str, Any]]


def make_items(count: int) -> Items:
    return [
        {"id": n, "score": n * 7919 % 10007, "kind": "abcd"[n % 4], "path": f"src/{n}.py"}
        for n in range(count)
    ]


def by_hand(items: Items) -> list[tuple[int, dict[str, Any], str]]:
    kept = [i for i in items if i["score"] >= 1000 and i["kind"] != "d" and i["id"] > 100]
    kept = sorted(kept, key=lambda i: i["score"], reverse=True)[:LIMIT]
    return [(n, item, f"agent-{n}") for n, item in enumerate(kept)]


CONFIG = MapConfig(
    filter="score >= 1000 && kind != 'd' && id > 100", sort_by="score DESC", max_items=LIMIT
)


def planned(items: Items) -> list[tuple[int, dict[str, Any], str]]:
    plan: Any = plan_work_assignments(items, CONFIG)
    return [(a.id, a.item, a.agent_name) for a in plan]


def seconds(work: Callable[[Items], object], items: Items) -> float:
    gc.collect()
    started = time.perf_counter()
    work(items)
    return time.perf_counter() - started


def peak(work: Callable[[Items], object], items: Items) -> float:
    tracemalloc.start()
    work(items)
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size / 2**20


def main(count: int = 1_000_000, rounds: int = 5) -> None:
    items = make_items(count)
    assert by_hand(items) == planned(items)
    times = [(seconds(by_hand, items), seconds(planned, items)) for _ in range(rounds)]
    hand, ours = min(t for t, _ in times), min(t for _, t in times)
    hand_peak, our_peak = peak(by_hand, items), peak(planned, items)
    print(f"{count:,} items, best of {rounds}   by hand    planned   ratio   bound")
    print(f"seconds                      {hand:8.3f}   {ours:8.3f}   {ours / hand:5.2f}   <= 2.5")
    print(
        f"peak MiB                     {hand_peak:8.1f}   {our_peak:8.1f}"
        f"   {our_peak / hand_peak:5.2f}   <= 2"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
