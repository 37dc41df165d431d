"""The grammar of what surrounds steps: retries, failure policies, resources.

Each shape makes the value of `anabranch.planning` that decides, so that what a file may say and
what is decided cannot drift apart. `anabranch.workflow.printing_settings` is the way back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, TypeAlias

from returns.result import Result

from anabranch.planning import (
    Backoff,
    CircuitBreaker,
    Claim,
    Custom,
    ErrorClass,
    ErrorMatcher,
    ErrorPattern,
    Exponential,
    FailurePolicy,
    Fibonacci,
    Fixed,
    Limits,
    Linear,
    OnItemFailure,
    RateLimit,
    RetryPolicy,
)
from anabranch.planning.checks import refuse
from anabranch.values import ConfigError, Location, Problem
from anabranch.values.yaml import Node, Scalar, Spot
from anabranch.workflow.checks import Problems, one_line, parsed_by
from anabranch.workflow.shapes import (
    Key,
    Shape,
    choice,
    duration,
    either,
    flag,
    list_of,
    named,
    number,
    one_or_many,
    table,
    text,
    whole,
)

_SECOND: Final = timedelta(seconds=1)

_Curve: TypeAlias = Backoff | tuple[timedelta, ...]
"""A curve, or listed delays after which those of the longest follow."""


# --- retries -----------------------------------------------------------------------------------


def _any_length(value: timedelta) -> Problems:
    del value
    return ()


_DELAY: Final = duration(_any_length, minimum=0)
_INITIAL: Final = Key("initial", _DELAY, "The first delay; by default a second.")


class _CurveName(StrEnum):
    FIXED = "fixed"
    LINEAR = "linear"
    EXPONENTIAL = "exponential"
    FIBONACCI = "fibonacci"


_BY_NAME: Final[Mapping[_CurveName, Backoff]] = {
    _CurveName.FIXED: Fixed(_SECOND),
    _CurveName.LINEAR: Linear(_SECOND, _SECOND),
    _CurveName.EXPONENTIAL: Exponential(_SECOND),
    _CurveName.FIBONACCI: Fibonacci(_SECOND),
}


def _curve(build: Any, *keys: Key) -> Shape[_Curve]:
    return table(build, *keys, expected="the numbers of the curve")


def _listed(*, delays: tuple[timedelta, ...], then: timedelta | None = None) -> _Curve:
    return delays if then is None else Custom(delays, then)


def _one_curve(**curves: _Curve) -> _Curve:
    if len(curves) == 1:
        return next(iter(curves.values()))
    raise ConfigError.of("one-of", "one curve is needed", value=", ".join(curves) or "none")


_CURVES: Final = table(
    _one_curve,
    Key(
        "fixed",
        _curve(lambda delay=_SECOND: Fixed(delay), Key("delay", _DELAY, "Every delay.")),
        "The same delay every time.",
    ),
    Key(
        "linear",
        _curve(
            lambda initial=_SECOND, increment=_SECOND: Linear(initial, increment),
            _INITIAL,
            Key("increment", _DELAY, "So much longer each time; by default a second."),
        ),
        "Longer by the same each time.",
    ),
    Key(
        "exponential",
        _curve(
            lambda initial=_SECOND, multiplier=2.0: Exponential(initial, multiplier),
            _INITIAL,
            Key("multiplier", number("a number above 0"), "So many times as long; by default 2."),
        ),
        "A number of times as long each time.",
    ),
    Key(
        "fibonacci",
        _curve(lambda initial=_SECOND: Fibonacci(initial), _INITIAL),
        "The sum of the two delays before.",
    ),
    Key(
        "custom",
        _curve(
            _listed,
            Key(
                "delays",
                list_of(_DELAY, "a list of durations", check=lambda _: ()),
                "One after the other.",
                required=True,
            ),
            Key("then", _DELAY, "After the last of them; by default `max_delay`, else the last."),
        ),
        "As listed.",
    ),
    expected="one curve with its numbers",
)

_BACKOFF: Final[Shape[_Curve]] = either(
    scalar=choice(_CurveName).map(lambda name: _BY_NAME[name]), entries=_CURVES
)


def _matcher(word: str) -> ErrorMatcher:
    return ErrorClass(word) if word in list(ErrorClass) else ErrorPattern(word)


_RETRY_ON: Final = one_or_many(
    text("a class of errors, or a regular expression", check=parsed_by(_matcher)).map(_matcher),
    "a list of classes of errors",
)


def _retry(
    *,
    backoff: _Curve = _BY_NAME[_CurveName.EXPONENTIAL],
    max_delay: timedelta | None = None,
    retry_on: tuple[ErrorMatcher, ...] = (),
    **bounds: Any,
) -> dict[str, Any]:
    if isinstance(backoff, tuple):
        policy = RetryPolicy.custom(backoff, cap=max_delay, **bounds)
    else:
        policy = RetryPolicy(backoff=backoff, cap=max_delay, **bounds)
    return {"retry": policy, "retry_on": retry_on}


RETRY: Final[Shape[dict[str, Any]]] = table(
    _retry,
    Key("max_attempts", whole(1, code="limit-zero"), "Attempts in all, the first included."),
    Key("budget", _DELAY, "No attempt starts later than this after the first one did."),
    Key("backoff", _BACKOFF, "The curve of the delays; by default exponential."),
    Key("max_delay", _DELAY, "No delay is longer than this."),
    Key(
        "jitter",
        number("a number from 0 to 1", minimum=0, maximum=1),
        "The share of a delay that chance may take off.",
    ),
    Key("retry_on", _RETRY_ON, "The errors worth another attempt; by default all."),
    expected="a mapping with `max_attempts:` or `budget:`",
)
"""`retry` and `retry_on`, as arguments of a step or of a failure policy."""


# --- failure policies --------------------------------------------------------------------------

_BREAKER: Final = table(
    CircuitBreaker,
    Key("failure_threshold", whole(1, code="limit-zero"), "So many failures in a row open it."),
    Key("success_threshold", whole(1, code="limit-zero"), "So many successes close it."),
    Key("timeout", _DELAY, "How long it stays open before attempts are tried."),
    Key("half_open_requests", whole(1, code="limit-zero"), "Attempts tried at a time."),
    expected="the settings of a circuit breaker",
)

FAILURE_KEYS: Final = (
    Key("on_item_failure", choice(OnItemFailure), "What becomes of an item that failed."),
    Key("continue_on_failure", flag(), "Whether the run goes on after an item has failed."),
    Key("max_failures", whole(1, code="limit-zero"), "So many failed items stop the run."),
    Key(
        "failure_threshold",
        number("a number from 0 to 1", minimum=0, maximum=1),
        "More than this share of the finished items stops the run, once ten have finished.",
    ),
    Key("circuit_breaker", _BREAKER, "When to pause starting agents."),
    Key("retry_config", RETRY, "When a failed item is tried again."),
)
"""What the file says at its top, or under `error_policy:`."""


def failure_policy(*, retry_config: Mapping[str, Any] | None = None, **more: Any) -> FailurePolicy:
    """Make a policy of what these keys were given."""
    return FailurePolicy(**(retry_config or {}), **more)


ERROR_POLICY: Final = table(
    dict[str, Any],
    *FAILURE_KEYS,
    expected="what to do about items that fail",
    elsewhere=frozenset(["error_collection"]),
)
"""Its keys and what they were given."""


# --- resources ---------------------------------------------------------------------------------


class _Hold(StrEnum):
    SHARED = "shared"
    EXCLUSIVE = "exclusive"


_AMOUNT: Final = whole(1, code="limit-zero")
_HOLD: Final = choice(_Hold)


def _read_held(node: Node, spot: Spot) -> Result[int | _Hold, Problems]:
    if isinstance(node, Scalar) and type(node.value) is int:
        return _AMOUNT.read(node, spot)
    return _HOLD.read(node, spot)


_HELD: Final[Shape[int | _Hold]] = Shape(
    _read_held,
    {"anyOf": [_AMOUNT.schema, _HOLD.schema]},
    "how many, or `shared` or `exclusive`",
)


def _claim(name: str, held: int | _Hold) -> Claim:
    if isinstance(held, _Hold):
        return Claim(name, shared=held is _Hold.SHARED)
    return Claim(name, amount=held)


_RESOURCE_NAME: Final = text("the name of a resource", check=one_line)

CLAIMS: Final[Shape[tuple[Claim, ...]]] = either(
    scalar=_RESOURCE_NAME.map(lambda name: (Claim(name),)),
    items=list_of(_RESOURCE_NAME, "names of resources", check=lambda _: ()).map(
        lambda names: tuple(map(Claim, names))
    ),
    entries=named(_HELD, "resources, and how much of each", check=one_line, pattern=r"\S").map(
        lambda found: tuple(_claim(name, held) for name, held in found.items())
    ),
)
"""What a step holds while it runs."""

_RATE: Final = table(
    RateLimit,
    Key("starts", whole(1, code="limit-zero"), "So many starts…", required=True),
    Key("per", duration(), "…in any time of this length.", required=True),
    expected="a capacity, or `starts:` and `per:`",
)


def _capacity(found: int | RateLimit) -> int | RateLimit:
    return found


_CAPACITY: Final = either(
    scalar=whole(1, code="limit-zero").map(_capacity), entries=_RATE.map(_capacity)
)


def _limits(found: Mapping[str, int | RateLimit]) -> Limits:
    return Limits(
        pools={name: of for name, of in found.items() if isinstance(of, int)},
        rates={name: of for name, of in found.items() if isinstance(of, RateLimit)},
    )


RESOURCES: Final = named(
    _CAPACITY, "resources, and how much there is of each", check=one_line, pattern=r"\S"
).map(_limits)
"""What there is to share."""


def given_once(
    top: Mapping[str, Any], below: Mapping[str, Any], *, within: str
) -> Mapping[str, Any]:
    """Join what is said at the top of a file with what is said below a key; nothing twice.

    Raises:
        ConfigError: it is.
    """
    refuse(
        Problem(
            code="duplicate-key",
            message="said twice",
            where=Location(path=f"{within}.{name}"),
            value=name,
            expected=f"at the top or in `{within}`",
        )
        for name in below
        if name in top
    )
    return {**top, **below}
