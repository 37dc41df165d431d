"""Values and errors: what the constructors and the methods of an effect are inferred to be."""

from typing import Never, assert_type

from returns.result import Result, Success

from anabranch import (
    ContextError,
    Effect,
    attempt,
    attempt_async,
    attempt_blocking,
    fail,
    from_async,
    from_blocking,
    from_function,
    from_result,
    run,
    run_async,
    succeed,
)


class Missing: ...


class Broken: ...


def parse(text: str) -> Effect[int, Broken, object]:
    return succeed(len(text))


def read(env: object) -> Result[str, Missing]:
    return Success(str(env))


async def fetch(env: object) -> Result[str, Missing]:
    return Success(str(env))


def length(text: str) -> int:
    return len(text)


found = from_function(read)
one = succeed(1)

# Constructors.
assert_type(one, Effect[int, Never, object])
assert_type(fail(Missing()), Effect[Never, Missing, object])
assert_type(from_result(read(None)), Effect[str, Missing, object])
assert_type(found, Effect[str, Missing, object])
assert_type(from_blocking(read), Effect[str, Missing, object])
assert_type(from_async(fetch), Effect[str, Missing, object])
assert_type(attempt(lambda: int("1"), ValueError), Effect[int, ValueError, object])
assert_type(attempt_blocking(lambda: 1.5, OSError), Effect[float, OSError, object])


async def wait_for_text() -> str:
    return "text"


assert_type(attempt_async(wait_for_text, OSError), Effect[str, OSError, object])

# Values: errors add up by union, and `Never` adds nothing.
assert_type(found.map(length), Effect[int, Missing, object])
assert_type(found.and_then(parse), Effect[int, Missing | Broken, object])
assert_type(one.and_then(lambda n: succeed(str(n))), Effect[str, Never, object])
assert_type(found.and_then(lambda text: succeed(len(text))), Effect[int, Missing, object])
assert_type(found.tap(parse), Effect[str, Missing | Broken, object])
assert_type(found.zip(one), Effect[tuple[str, int], Missing, object])
assert_type(found.zip_with(one, lambda a, b: a * b), Effect[str, Missing, object])
assert_type(found.as_(1.5), Effect[float, Missing, object])
assert_type(found.when(condition=True), Effect[str | None, Missing, object])
assert_type(found.unless(condition=True), Effect[str | None, Missing, object])
assert_type(found.ensure(bool, Broken()), Effect[str, Missing | Broken, object])
assert_type(
    found.filter_or_fail(bool, ValueError),
    Effect[str, Missing | ValueError, object],
)

# Errors: handled ones are gone.
assert_type(found.map_error(lambda _: Broken()), Effect[str, Broken, object])
assert_type(found.recover(lambda _: 0), Effect[str | int, Never, object])
assert_type(found.or_else(lambda _: parse("")), Effect[str | int, Broken, object])
assert_type(found.or_else(lambda _: succeed("")), Effect[str, Never, object])
assert_type(found.settled(), Effect[Result[str, Missing], Never, object])
assert_type(found.and_finally(succeed(None)), Effect[str, Missing, object])
assert_type(found.on_interrupt(succeed(None)), Effect[str, Missing, object])

# Labels: carried once, however many there are.
assert_type(found.span("here"), Effect[str, Missing, object])
assert_type(found.context("here"), Effect[str, ContextError[Missing], object])
assert_type(found.context("here").context("there"), Effect[str, ContextError[Missing], object])
assert_type(one.context("here"), Effect[int, Never, object])

# Running gives a `Result`.
assert_type(run(found), Result[str, Missing])
assert_type(run(one), Result[int, Never])


async def main() -> None:
    assert_type(await run_async(found), Result[str, Missing])


# Variance: what fails less and gives more fits where more may fail and less is wanted.
wider: Effect[object, Missing | Broken, object] = found

# Refused.
found.map(parse).map(len)  # E: arg-type reportArgumentType
found.and_then(length)  # E: arg-type reportArgumentType
found.and_then(lambda number: succeed(number + 1))  # E: operator reportOperatorIssue
found.map(lambda text: text.nonsense)  # E: attr-defined reportAttributeAccessIssue
narrower: Effect[str, Never, object] = found  # E: assignment reportAssignmentType
other: Effect[int, Missing, object] = found  # E: assignment reportAssignmentType
from_function(length)  # E: arg-type reportArgumentType
from_function(fetch)  # E: arg-type reportArgumentType
from_async(read)  # E: arg-type reportArgumentType
attempt(lambda: 1, Missing)  # E: type-var reportArgumentType
found.ensure(parse, Broken())  # E: arg-type reportArgumentType
found.and_finally(found)  # E: arg-type reportArgumentType
found.when("yes")  # E: arg-type reportArgumentType
