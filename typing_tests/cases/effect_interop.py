"""Effects and `returns`, without its plugin."""

from typing import Any, Protocol, assert_type

from returns.context import RequiresContextFutureResult
from returns.future import FutureResult
from returns.io import IOResult
from returns.maybe import Maybe

from anabranch import Effect, asks, succeed
from anabranch.interop import (
    EffectContainer,
    alt,
    bind,
    from_context,
    from_future,
    from_io,
    from_maybe,
    lash,
    map_,
    to_context,
    to_future,
    to_io,
)


class Missing: ...


class Broken: ...


class HasName(Protocol):
    @property
    def name(self) -> str: ...


Container = RequiresContextFutureResult[int, Missing, HasName]


def name_of(env: HasName) -> str:
    return env.name


def find(key: str) -> Effect[int, Missing, object]:
    return succeed(len(key))


def check(number: int) -> Effect[float, Broken, object]:
    return succeed(number / 2)


def named(_: int) -> Effect[str, Broken, HasName]:
    return asks(name_of)


def find_named(key: str) -> Effect[int, Missing, HasName]:
    return find(key)


def fetch() -> FutureResult[int, Missing]:
    return FutureResult.from_value(1)


def read() -> IOResult[int, Missing]:
    return IOResult.from_value(1)


def length(text: str) -> int:
    return len(text)


def text(number: int) -> str:
    return str(number)


def told(_: Missing) -> Broken:
    return Broken()


def handle(_: Missing) -> Effect[str, Broken, object]:
    return succeed("")


found = find("key")

# There and back.
assert_type(to_context(find_named("key")), Container)
assert_type(from_context(to_context(find_named("key"))), Effect[int, Missing, HasName])
assert_type(from_future(fetch), Effect[int, Missing, object])
assert_type(from_io(read), Effect[int, Missing, object])
assert_type(to_io(found), IOResult[int, Missing])


async def main() -> None:
    assert_type(await to_future(found), IOResult[int, Missing])


def perhaps(maybe: Maybe[int]) -> None:
    assert_type(from_maybe(maybe, Missing()), Effect[int, Missing, object])


# Functions that wait for their effect.
assert_type(map_(text)(found), Effect[str, Missing, object])
assert_type(bind(check)(found), Effect[float, Missing | Broken, object])
assert_type(bind(named)(find_named("key")), Effect[str, Missing | Broken, HasName])
assert_type(alt(told)(found), Effect[int, Broken, object])
assert_type(lash(handle)(found), Effect[int | str, Broken, object])

# The container.
contained = EffectContainer(find_named("key"))


def more(number: int) -> EffectContainer[float, Missing, HasName]:
    return EffectContainer(succeed(number / 2))


assert_type(contained, EffectContainer[int, Missing, HasName])
assert_type(contained.effect, Effect[int, Missing, HasName])
assert_type(contained.map(text), EffectContainer[str, Missing, HasName])
assert_type(contained.bind(more), EffectContainer[float, Missing, HasName])
assert_type(contained.alt(told), EffectContainer[int, Broken, HasName])
assert_type(contained.swap(), EffectContainer[Missing, int, HasName])
assert_type(EffectContainer.from_value(1), EffectContainer[int, Any, Any])

# Refused.
map_(length)(found)  # E: arg-type reportArgumentType
bind(text)  # E: arg-type reportArgumentType
bind(named)(find_named("key")).provide(1)  # E: arg-type reportArgumentType
alt(length)(found)  # E: arg-type reportArgumentType
future = to_future(find_named("key"))  # E: arg-type reportArgumentType
to_io(find_named("key"))  # E: arg-type reportArgumentType
from_future(fetch())  # E: arg-type reportArgumentType
from_io(fetch)  # E: arg-type reportArgumentType
contained.bind(find)  # E: arg-type reportArgumentType
EffectContainer(1)  # E: arg-type reportArgumentType
