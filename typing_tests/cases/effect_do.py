"""Do-notation: each step is inferred, and checked against what the function declares."""

from typing import Never, Protocol, assert_type

from anabranch import Do, Effect, asks, do, fail, run, succeed


class Missing: ...


class Broken: ...


class HasName(Protocol):
    @property
    def name(self) -> str: ...


class Ship:
    name = "Beagle"


def name_of(env: HasName) -> str:
    return env.name


def find(key: str) -> Effect[int, Missing, object]:
    return succeed(len(key))


def check(value: int) -> Effect[float, Broken, object]:
    return succeed(value / 2)


@do
def total(key: str, *, twice: bool = False) -> Do[float, Missing | Broken, HasName]:
    name = yield from asks(name_of)
    assert_type(name, str)
    found = yield from find(key + name)
    assert_type(found, int)
    checked = yield from check(found)
    assert_type(checked, float)
    if twice:
        yield from fail(Missing())
    return checked + found


assert_type(total("key"), Effect[float, Missing | Broken, HasName])
assert_type(total("key", twice=True).map(str), Effect[str, Missing | Broken, HasName])


@do
def nothing() -> Do[None, Never, object]:
    yield from succeed(1)


assert_type(nothing(), Effect[None, Never, object])


# Refused: a failure or a need that is not declared, a wrong value, wrong arguments.
@do
def undeclared_error(key: str) -> Do[int, Broken, object]:
    return (yield from find(key))  # E: misc reportReturnType


@do
def undeclared_need() -> Do[str, Never, object]:
    return (yield from asks(name_of))  # E: misc reportReturnType


@do
def wrong_value(key: str) -> Do[str, Missing, object]:
    return (yield from find(key))  # E: return-value reportReturnType


@do
def wrong_step(key: str) -> Do[int, Missing | Broken, object]:
    half = yield from check(key)  # E: arg-type reportArgumentType
    return round(half)


total(1)  # E: arg-type reportArgumentType
total("key", thrice=True)  # E: call-arg reportCallIssue
run(total("key"))  # E: arg-type reportArgumentType
