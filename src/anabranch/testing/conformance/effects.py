"""The laws that every effect obeys, whatever it is made of: yours, and what your combinators make.

1. Making an effect does nothing, and it can be run again: the same in an environment like the first.
2. What it is followed by nothing, or preceded by nothing, changes nothing about it; nor does it
   matter how a chain of effects is put into parentheses (the laws of functors and monads).
3. It comes to an end under every schedule: nothing waits for what never comes.
4. Cancelled at any moment, it comes to an end and leaves nothing behind.
5. If it does not depend on the schedule, no schedule changes how it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any, Final, TypeAlias

from attrs import frozen
from returns.result import Result

from anabranch.effects import Effect, fail, succeed
from anabranch.interpreters.virtual import Cancelled, run_virtual

Made: TypeAlias = Effect[Any, Any, Any]

_MOMENTS: Final = 16


def check_effect_laws(
    effect: Made,
    env: Callable[[], Any] = lambda: None,
    *,
    done: Callable[[Any], object] = lambda env: getattr(env, "calls", None),
    left: Callable[[Any], object] = lambda _: None,
    schedules: int = 20,
    seed: int = 0,
    deterministic: bool = True,
) -> None:
    """Check that an effect obeys the laws of effects, in virtual time.

    Args:
        effect: yours, or what a combinator of yours made of others.
        env: makes an environment, anew for each run.
        done: what was done in an environment, to be compared; by default its `calls`.
        left: what was left behind in it; false if nothing was.
        schedules: how many schedules to try.
        seed: of the first one.
        deterministic: whether every schedule has to end in the same result.

    Raises:
        AssertionError: a law does not hold; the text says which, and how.
        DeadlockError, LivelockError: it does not come to an end.

    >>> from anabranch import par_all, sleep
    >>> check_effect_laws(par_all([sleep("1h"), sleep("2h")]))
    """
    laws = _Laws(effect, env, done, left)
    plain = laws.run(effect)
    laws.check_same("run again", plain, laws.run(effect))
    for name, like in _equal(effect).items():
        laws.check_same(name, plain, laws.run(like))
    for number in range(seed, seed + schedules):
        other = laws.run(effect, choose=Random(number).randrange)  # noqa: S311 - a schedule
        if deterministic:
            assert other.result == plain.result, (
                f"under the schedule of seed {number} it ends in {other.result}, "
                f"else in {plain.result}"
            )
    for moment in range(_MOMENTS + 1):
        laws.check_cancelled(plain.elapsed * moment / _MOMENTS)


@frozen
class _Ran:
    """How a run ended, how long it took, and what was done."""

    result: Result[Any, Any]
    elapsed: float
    done: object


@frozen
class _Laws:
    effect: Made
    env: Callable[[], Any]
    done: Callable[[Any], object]
    left: Callable[[Any], object]

    def run(self, effect: Made, **options: Any) -> _Ran:
        env = self.env()
        before = repr(self.done(env))
        ended = run_virtual(effect, env, **options)
        assert repr(self.done(self.env())) == before, "a new environment was touched by an old run"
        self.check_left(env, "at its end")
        return _Ran(ended.result, ended.elapsed, self.done(env))

    def check_left(self, env: Any, when: str) -> None:
        left = self.left(env)
        assert not left, f"{when} it leaves something behind: {left}"

    def check_same(self, law: str, plain: _Ran, other: _Ran) -> None:
        assert plain == other, f"{law}: came {other}, expected {plain}"

    def check_cancelled(self, moment: float) -> None:
        env = self.env()
        with suppress(Cancelled):
            run_virtual(self.effect, env, cancel_at=moment)
        self.check_left(env, f"cancelled after {moment} s,")


def _equal(effect: Made) -> dict[str, Made]:
    """Effects that are the same by a law, under the law's name."""
    return {
        "mapped by what changes nothing": effect.map(lambda value: value),
        "its error mapped by what changes nothing": effect.map_error(lambda error: error),
        "followed by its own value": effect.and_then(succeed),
        "or else its own error": effect.or_else(fail),
        "after a value": succeed(None).and_then(lambda _: effect),
        "in a chain, bracketed to the left": succeed(None)
        .and_then(lambda _: effect)
        .and_then(succeed),
        "in a chain, bracketed to the right": succeed(None).and_then(
            lambda _: effect.and_then(succeed)
        ),
    }
