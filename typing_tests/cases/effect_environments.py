"""Environments: an effect asks only for what it uses, and whoever runs it has to have it."""

from typing import Never, Protocol, assert_type

from returns.result import Result, Success

from anabranch import Effect, ask, asks, from_function, run, succeed


class HasName(Protocol):
    @property
    def name(self) -> str: ...


class HasAge(Protocol):
    @property
    def age(self) -> int: ...


class HasBoth(HasName, HasAge, Protocol): ...


class Person:
    name = "Ada"
    age = 36


class Ship:
    name = "Beagle"


def greet(env: HasName) -> Result[str, ValueError]:
    return Success(f"hello, {env.name}")


def name_of(env: HasName) -> str:
    return env.name


def age_of(env: HasAge) -> int:
    return env.age


named = asks(name_of)
aged = asks(age_of)
greeted = from_function(greet)


def aged_both(_: object) -> Effect[int, Never, HasBoth]:
    return aged


assert_type(named, Effect[str, Never, HasName])
assert_type(greeted, Effect[str, ValueError, HasName])

asked: Effect[HasName, Never, HasName] = ask()
assert_type(asked.map(name_of), Effect[str, Never, HasName])

# An effect that needs nothing takes on the needs of what comes next.
assert_type(succeed(1).and_then(lambda _: named), Effect[str, Never, HasName])
assert_type(succeed(1).zip(named), Effect[tuple[int, str], Never, HasName])
assert_type(named.zip(greeted), Effect[tuple[str, str], ValueError, HasName])


# Two needs are a protocol that has both.
def both() -> Effect[str, Never, HasBoth]:
    return named


assert_type(both().and_then(aged_both), Effect[int, Never, HasBoth])
assert_type(both().zip(aged), Effect[tuple[str, int], Never, HasBoth])

# Provided, or made of another.
assert_type(named.provide(Ship()), Effect[str, Never, object])


def captain(_: Ship) -> Person:
    return Person()


assert_type(aged.local(captain), Effect[int, Never, Ship])

# Running.
assert_type(run(named, Ship()), Result[str, Never])
assert_type(run(both().zip(aged), Person()), Result[tuple[str, int], Never])
assert_type(run(named.provide(Ship())), Result[str, Never])

# Refused.
run(aged)  # E: arg-type reportArgumentType
run(aged, Ship())  # E: misc reportArgumentType
run(both().zip(aged), Ship())  # E: misc reportArgumentType
aged.provide(Ship())  # E: arg-type reportArgumentType
named.zip(aged)  # E: arg-type reportArgumentType
less: Effect[int, Never, object] = aged  # E: assignment reportAssignmentType
aged.local(name_of)  # E: arg-type reportArgumentType
