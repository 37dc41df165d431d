"""One step of a sequence, in anabranch and by hand.

A step takes a number and gives the next one, in a way that could fail. The step by hand is an
`await` of a coroutine function that returns a `Result`.
"""

from __future__ import annotations

from typing import Never

from returns.result import Failure, Result, Success

from anabranch import Do, Effect, do, run_async, succeed
from benchmarks._timing import Contender

STEPS = 1000


def step(number: int) -> Effect[int, Never, object]:
    return succeed(number + 1)


async def step_by_hand(number: int) -> Result[int, str]:
    return Success(number + 1)


async def by_hand() -> Result[int, str]:
    number = 0
    for _ in range(STEPS):
        result = await step_by_hand(number)
        if isinstance(result, Failure):
            return result
        number = result.unwrap()
    return Success(number)


@do
def steps() -> Do[int, Never, object]:
    number = 0
    for _ in range(STEPS):
        number = yield from step(number)
    return number


def chain() -> Effect[int, Never, object]:
    effect = succeed(0)
    for _ in range(STEPS):
        effect = effect.and_then(step)
    return effect


BUILT = chain()


async def do_notation() -> object:
    return await run_async(steps())


async def build_and_run() -> object:
    return await run_async(chain())


async def run_alone() -> object:
    return await run_async(BUILT)


OURS: dict[str, Contender] = {
    "by hand": by_hand,
    "do-notation": do_notation,
    "and_then, build and run": build_and_run,
    "and_then, run alone": run_alone,
}
