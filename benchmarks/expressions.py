"""A filter over a million items against a comprehension written by hand; a command, per item.

    python -m benchmarks.expressions [items] [rounds]

CPU time, interleaved in one process; the best round of each side counts.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from anabranch.expressions import compile_shell, parse_condition
from benchmarks._timing import Contender, interleaved, show

COMMAND = "fix ${item.path} && git add ${item.path} && git commit -m 'Fix ${item.path}'"
COMMANDS = 2000


def make_items(count: int) -> list[dict[str, Any]]:
    kinds = ("low", "high", "critical")
    return [
        {"priority": n % 10, "severity": kinds[n % 3], "score": n % 101 / 10, "path": f"src/{n}"}
        for n in range(count)
    ]


def contenders(items: list[dict[str, Any]]) -> dict[str, Contender]:
    all_of_three = parse_condition("priority > 5 && severity == 'high' && score <= 7.5").matches
    any_of_three = parse_condition("priority > 5 || severity == 'high' || score <= 7.5").matches

    async def all_by_hand() -> object:
        return [
            i for i in items if i["priority"] > 5 and i["severity"] == "high" and i["score"] <= 7.5
        ]

    async def any_by_hand() -> object:
        return [
            i for i in items if i["priority"] > 5 or i["severity"] == "high" or i["score"] <= 7.5
        ]

    async def all_filtered() -> object:
        return list(filter(all_of_three, items))

    async def any_filtered() -> object:
        return list(filter(any_of_three, items))

    async def commands() -> object:
        return [compile_shell(COMMAND, {"item": item}) for item in items[:COMMANDS]]

    return {
        "all by hand": all_by_hand,
        "all": all_filtered,
        "any by hand": any_by_hand,
        "any": any_filtered,
        "commands": commands,
    }


def main(count: int = 1_000_000, rounds: int = 5) -> None:
    best = asyncio.run(interleaved(contenders(make_items(count)), rounds))
    show(f"{count:,} items, best of {rounds} rounds", "figure", "at most")
    for name, words in (("all", "`&&`"), ("any", "`||`")):
        ratio = best[name] / best[f"{name} by hand"]
        show(f"three comparisons with {words}, times a comprehension", f"{ratio:.2f}", "2")
    each = best["commands"] / min(count, COMMANDS) * 1e6
    show("a command with three references, compiled for one item, µs", f"{each:.0f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
