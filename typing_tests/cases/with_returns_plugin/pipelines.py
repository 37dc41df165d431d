"""`flow` and `pipe` of `returns` are opaque without its plugin; with it, effects flow through."""

from typing import Never, Protocol, assert_type

from returns.pipeline import flow, pipe

from anabranch import Effect, asks, succeed
from anabranch.interop import alt, bind, lash, map_


class Missing: ...


class Broken: ...


class HasName(Protocol):
    @property
    def name(self) -> str: ...


def name_of(env: HasName) -> str:
    return env.name


def find(key: str) -> Effect[int, Missing, object]:
    return succeed(len(key))


def check(number: int) -> Effect[float, Broken, object]:
    return succeed(number / 2)


def named(_: float) -> Effect[str, Never, HasName]:
    return asks(name_of)


def told(error: Missing | Broken) -> str:
    return str(error)


def handle(error: str) -> Effect[str, Never, object]:
    return succeed(error)


assert_type(flow("key", find, bind(check)), Effect[float, Missing | Broken, object])
assert_type(
    flow(find("key"), bind(check), map_(str), alt(told), lash(handle)),
    Effect[str, Never, object],
)
assert_type(
    flow(find("key"), bind(check), bind(named)),
    Effect[str, Missing | Broken, HasName],
)
assert_type(pipe(find, bind(check), map_(round))("key"), Effect[int, Missing | Broken, object])

# Refused.
flow(find("key"), bind(named), map_(round))  # E: arg-type -
flow(find("key"), bind(check), alt(handle))  # E: arg-type -
