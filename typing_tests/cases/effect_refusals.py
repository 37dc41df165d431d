"""What no combinator takes: one effect where several are wanted, plain values, wrong handlers."""

from collections.abc import Iterator
from typing import Never, Protocol, assert_type

from returns.result import Result, Success

from anabranch import (
    Breaker,
    CircuitBreaker,
    CircuitOpen,
    Do,
    Effect,
    ask,
    asks,
    attempt_async,
    attempt_blocking,
    bracket,
    circuit_breaker,
    do,
    fail,
    fallback,
    from_blocking,
    from_result,
    now,
    par_all,
    par_all_limit,
    par_fold,
    par_graph,
    par_settle,
    par_traverse,
    par_try_all,
    race,
    repeat,
    run,
    run_async,
    scoped,
    sleep,
    succeed,
    timeout,
    traverse,
)
from anabranch.effects import Desk, desk
from anabranch.planning import Claim, Limits


class Missing: ...


class Broken: ...


class HasName(Protocol):
    @property
    def name(self) -> str: ...


class HasAge(Protocol):
    @property
    def age(self) -> int: ...


class HasBoth(HasName, HasAge, Protocol): ...


def name_of(env: HasName) -> str:
    return env.name


def find(key: str) -> Effect[int, Missing, object]:
    return succeed(len(key))


def length(text: str) -> int:
    return len(text)


def told(error: Broken) -> str:
    return str(error)


def handle(error: Broken) -> Effect[int, Never, object]:
    return succeed(len(str(error)))


def both(_: object) -> Effect[int, Never, HasBoth]:
    return asks(lambda env: env.age)


async def text() -> str:
    return "text"


async def awaited(_: object) -> Result[int, Missing]:
    return Success(1)


@do
def steps() -> Do[int, Missing, object]:
    return (yield from find("key"))


def undecorated() -> Iterator[Effect[int, Missing, object]]:
    yield find("key")


found = find("key")
named = asks(name_of)

# One effect is not several.
par_all(found)  # E: arg-type reportArgumentType
par_all(steps())  # E: arg-type reportArgumentType
par_all_limit(found, 2)  # E: arg-type reportArgumentType
par_try_all(found)  # E: arg-type reportArgumentType
par_settle(found)  # E: arg-type reportArgumentType
par_fold(found, 2, 0, max)  # E: arg-type reportArgumentType
race(found)  # E: arg-type reportArgumentType
par_graph(found, {})  # E: arg-type reportArgumentType
traverse(found, find)  # E: arg-type reportArgumentType
par_traverse(found, find)  # E: arg-type reportArgumentType

# Neither is a plain value, nor a function that makes effects.
par_all([succeed])  # E: arg-type reportArgumentType
par_settle([1])  # E: arg-type reportArgumentType
race([None])  # E: arg-type reportArgumentType
traverse(["key"], length)  # E: arg-type reportArgumentType
fallback(found, 1)  # E: arg-type reportArgumentType
timeout(find, "1s")  # E: arg-type reportArgumentType
repeat(find, times=2)  # E: arg-type reportArgumentType
repeat(found, 2)  # E: call-arg reportCallIssue
repeat(found, until=length)  # E: arg-type reportArgumentType
bracket(found, length, find)  # E: arg-type reportCallIssue
scoped(found)  # E: arg-type reportArgumentType
sleep(None)  # E: arg-type reportArgumentType
now(1)  # E: call-arg reportCallIssue
run(find)  # E: call-overload reportArgumentType
from_result(1)  # E: arg-type reportArgumentType
from_blocking(awaited)  # E: arg-type reportArgumentType
attempt_blocking(length, OSError)  # E: arg-type reportArgumentType
attempt_async(lambda: "text", OSError)  # E: arg-type reportArgumentType
attempt_async(text, "OSError")  # E: arg-type reportArgumentType
do(find)  # E: arg-type reportArgumentType
do(undecorated)  # E: arg-type reportArgumentType
fail()  # E: call-arg reportCallIssue
asks(name_of).provide(1)  # E: arg-type reportArgumentType
asked: Effect[int, Never, str] = ask()  # E: assignment reportUnknownVariableType

# Methods: handlers of other errors, functions of other values.
found.map_error(told)  # E: arg-type reportArgumentType
found.or_else(handle)  # E: arg-type reportArgumentType
found.or_else(told)  # E: arg-type reportArgumentType
found.recover(told)  # E: arg-type reportArgumentType
found.tap(find)  # E: arg-type reportArgumentType
found.tap(lambda number: number)  # E: arg-type reportArgumentType
found.zip(1)  # E: call-overload reportArgumentType
found.zip_with(found, length)  # E: arg-type reportArgumentType
found.filter_or_fail(length, Missing)  # E: arg-type reportArgumentType
found.unless("yes")  # E: arg-type reportArgumentType
found.context(1)  # E: arg-type reportArgumentType
found.span(None)  # E: arg-type reportArgumentType
found.on_interrupt(found)  # E: arg-type reportArgumentType
text_of_it: Effect[str, Missing, object] = found.as_(1)  # E: arg-type reportAssignmentType

# A need that grows on the way has to be said, by what a function declares. (A variable is not
# enough: pyright takes the type of what it was given.)
named.and_then(both)  # E: arg-type reportArgumentType


def wider() -> Effect[str, Never, HasBoth]:
    return named


assert_type(wider().and_then(both), Effect[int, Never, HasBoth])
assert_type(both(None).and_then(lambda _: named), Effect[str, Never, HasBoth])


@do
def declared() -> Do[int, Never, HasBoth]:
    name = yield from named
    age = yield from both(None)
    return len(name) + age


assert_type(declared(), Effect[int, Never, HasBoth])

# Breakers.
settings = CircuitBreaker(failure_threshold=3)
assert_type(circuit_breaker(settings), Effect[Breaker, Never, object])


def protected(breaker: Breaker) -> None:
    assert_type(breaker.protect(found), Effect[int, Missing | CircuitOpen, object])
    assert_type(breaker.protect(named), Effect[str, CircuitOpen, HasName])
    breaker.protect(find)  # E: arg-type reportArgumentType


circuit_breaker(3)  # E: arg-type reportArgumentType


async def main() -> None:
    await run_async(named)  # E: arg-type reportArgumentType


# A desk hands out resources; what it guards keeps its type.
counter: Effect[Desk, Never, object] = desk(Limits(pools={"gpu": 1}))


def held(at: Desk) -> None:
    assert_type(at.holding("one", (Claim("gpu"),), found), Effect[int, Missing, object])
    assert_type(at.holding("one", (), named), Effect[str, Never, HasName])
    at.holding("one", ("gpu",), found)  # E: arg-type reportArgumentType


desk(3)  # E: arg-type reportArgumentType
