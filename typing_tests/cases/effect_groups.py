"""Several effects at once, resources and time."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Never, Protocol, assert_type

from returns.result import Result

from anabranch import (
    Effect,
    EmptyRace,
    FinaliserErrors,
    GraphError,
    ParallelError,
    ReleaseError,
    RetryPolicy,
    Scope,
    TimedOut,
    asks,
    bracket,
    fail,
    fallback,
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
    retry,
    scoped,
    sleep,
    succeed,
    timeout,
    traverse,
    zip_par,
)


class Missing: ...


class Broken: ...


class HasName(Protocol):
    @property
    def name(self) -> str: ...


def name_of(env: HasName) -> str:
    return env.name


def find(key: str) -> Effect[int, Missing, object]:
    return succeed(len(key))


def find_named(key: str) -> Effect[int, Missing, HasName]:
    return find(key)


def add(total: float, value: int) -> float:
    return total + value


def finds() -> Iterator[Effect[int, Missing, object]]:
    yield find("key")


found = find("key")
policy = RetryPolicy.fixed("1s", max_attempts=3)

# Of one kind: from a list, a generator, a `map`.
assert_type(par_all([found, found]), Effect[list[int], ParallelError[int, Missing], object])
assert_type(par_all(finds()), Effect[list[int], ParallelError[int, Missing], object])
assert_type(par_all(map(find, "abc")), Effect[list[int], ParallelError[int, Missing], object])
assert_type(
    par_all(find_named(key) for key in "abc"),
    Effect[list[int], ParallelError[int, Missing], HasName],
)
assert_type(par_all_limit(finds(), 4), Effect[list[int], ParallelError[int, Missing], object])
assert_type(par_try_all(finds()), Effect[list[int], Missing, object])
assert_type(par_try_all(finds(), 4), Effect[list[int], Missing, object])
assert_type(par_settle(finds()), Effect[list[Result[int, Missing]], Never, object])
assert_type(par_fold(finds(), 4, 0.5, add), Effect[float, Missing, object])
assert_type(race(finds()), Effect[int, Missing | EmptyRace, object])
assert_type(
    par_traverse(["a"], find_named), Effect[list[int], ParallelError[int, Missing], HasName]
)
assert_type(traverse(["a"], find_named), Effect[list[int], Missing, HasName])
assert_type(
    par_graph({"a": found, "b": found}, {"b": ["a"]}),
    Effect[dict[str, int], GraphError[str, int, Missing], object],
)

# Of different kinds.
assert_type(zip_par(found, succeed("text")), Effect[tuple[int, str], Missing, object])
assert_type(
    zip_par(find_named("a"), asks(name_of), find_named("b")),
    Effect[tuple[int, str, int], Missing, HasName],
)

# Resources.
assert_type(
    bracket(found, lambda _: succeed(None), lambda n: succeed(str(n))),
    Effect[str, Missing, object],
)


def close(_: int) -> Effect[None, Broken, object]:
    return fail(Broken())


def use(_: int) -> Effect[str, ValueError, object]:
    return fail(ValueError())


assert_type(
    bracket(found, close, use),
    Effect[str, Missing | Broken | ValueError | ReleaseError[ValueError, Broken], object],
)


def in_scope(scope: Scope[Broken, object]) -> Effect[int, Missing, object]:
    return scope.acquire(found, close)


assert_type(
    scoped(in_scope),
    Effect[
        int,
        Missing | FinaliserErrors[Broken] | ReleaseError[Missing, FinaliserErrors[Broken]],
        object,
    ],
)

# Time.
assert_type(sleep("1s"), Effect[None, Never, object])
assert_type(now(), Effect[float, Never, object])
assert_type(timeout(found, timedelta(seconds=1)), Effect[int, Missing | TimedOut, object])
assert_type(retry(found, policy), Effect[int, Missing, object])
assert_type(retry(found, policy, retry_if=lambda _: True), Effect[int, Missing, object])
assert_type(repeat(found, times=3), Effect[int, Missing, object])
assert_type(fallback(found, find("other")), Effect[int, Missing, object])

# Refused.
par_all([1, 2])  # E: arg-type reportArgumentType
par_all_limit(finds())  # E: call-arg reportCallIssue
par_fold(finds(), 4, "", add)  # E: arg-type reportArgumentType
par_traverse([1], find)  # E: arg-type reportArgumentType
zip_par(found)  # E: call-overload reportCallIssue
par_graph([found], {})  # E: arg-type reportArgumentType
timeout(found)  # E: call-arg reportCallIssue
timeout(found, None)  # E: arg-type reportArgumentType
retry(found, 3)  # E: arg-type reportArgumentType
retry(found, policy, retry_if=lambda e: e.no)  # E: attr-defined reportAttributeAccessIssue
bracket(found, close)  # E: call-overload reportCallIssue
