"""The frames of a fiber's stack that are no nodes, and the small decisions about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import isawaitable
from types import CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Never, TypeAlias, final

from returns.result import Failure, Success

from anabranch.effects.core import Bracket, Effect, Exit, Map, MapError, OrElse, Steps, Then
from anabranch.effects.errors import ContextError, ReleaseError
from anabranch.interpreters.requests import FAILED, OK, RAISED, Await, Span

class_of: Callable[[Any], Any] = type
"""The class of a value, without what checkers would conclude from it."""

# As values of type `Any`, so that narrowing an `Any` by them leaves it one.
_CONTEXT_ERROR: Any = ContextError
_EFFECT: Any = Effect


@final
class Abandoned:
    """A `do` function is being left because a step failed; it is told by `exit`."""

    __slots__ = ("error", "exit")

    def __init__(self, error: Any) -> None:
        self.error = error
        self.exit = GeneratorExit()


@final
class Restore:
    """Put the environment back."""

    __slots__ = ("env",)

    def __init__(self, env: Any) -> None:
        self.env = env


@final
class Leave:
    """Close a label."""

    __slots__ = ("carried", "label", "outer", "span")

    def __init__(self, label: str, outer: Span | None, span: Span | None, *, carried: bool) -> None:
        self.label = label
        self.outer = outer
        self.span = span
        self.carried = carried


@final
class Release:
    """The resource is held: release it, however its use ends."""

    __slots__ = ("release", "resource")

    def __init__(
        self, release: Callable[[Any, Exit], Effect[Any, Any, Any]], resource: Any
    ) -> None:
        self.release = release
        self.resource = resource


@final
class Released:
    """The release runs, shielded; afterwards the end of the use counts."""

    __slots__ = ("mode", "payload")

    def __init__(self, mode: Exit, payload: Any) -> None:
        self.mode = mode
        self.payload = payload


if TYPE_CHECKING:
    Frame: TypeAlias = (
        Then
        | Map[Any]
        | OrElse
        | MapError[Any]
        | Bracket
        | GeneratorType[Any, Any, Any]
        | Abandoned
        | Restore
        | Leave
        | Release
        | Released
    )
    """Every frame there is: a node that waits for what is inside it, a generator, or one of these."""


def not_an_effect(node: Never) -> TypeError:
    """What to raise where an effect was expected: no node is left that it could be."""
    return TypeError(
        f"expected an effect, got {node!r}; `map` takes plain functions, "
        "and a `do` function says `yield from effect`"
    )


def sure(node: Any) -> Effect[Any, Any, Any]:
    """What a function of the user made, if it is an effect; `None` would say that a fiber ended."""
    if isinstance(node, _EFFECT):
        made: Effect[Any, Any, Any] = node
        return made
    raise not_an_effect(node)


def opened(result: Any) -> tuple[Exit, Any]:
    """A leaf's `Result` as mode and payload."""
    kind = class_of(result)
    if kind is Success:
        return OK, result.unwrap()
    if kind is Failure:
        return FAILED, result.failure()
    raise no_result(result)


def no_result(result: object) -> TypeError:
    """What to raise where a leaf returned something else than a `Result`."""
    return TypeError(
        f"a leaf must return a returns Result, got {result!r}; "
        "`asks` is for functions that cannot fail, `attempt` for functions that raise"
    )


def generator(node: Steps[Any, Any, Any]) -> GeneratorType[Any, Any, Any]:
    """A fresh generator for a run of a `do` function."""
    made: object = node.function(*node.arguments, **dict(node.keywords))
    if isinstance(made, GeneratorType):
        return made
    raise TypeError(f"{node.function!r} is decorated with `do` but is no generator function")


def to_await(made: Any, *, shielded: bool) -> Await:
    """The request for what an async leaf made, if that can be awaited."""
    if class_of(made) is CoroutineType or isawaitable(made):
        return Await(made, shielded)
    raise TypeError(
        f"an async leaf must make an awaitable of a returns Result, got {made!r}; "
        "`from_function` is for plain functions"
    )


def with_labels(error: Any, labels: Sequence[str]) -> Any:
    """Wrap an error once, however many labels it passes; from the inside out."""
    if not labels:
        return error
    if isinstance(error, _CONTEXT_ERROR):
        return ContextError(error.error, (*error.labels, *labels))
    return ContextError(error, tuple(labels))


def release_failed(frame: Released, error: Any) -> Any:
    """A release ended in a failure: after a value it counts, after a failure both are kept."""
    return error if frame.mode is OK else ReleaseError(frame.payload, error)


def release_raised(frame: Released, error: BaseException) -> BaseException:
    """A release ended in an exception, which counts; what came before is kept with it."""
    if frame.mode is FAILED:
        error.add_note(f"while releasing after the failure: {frame.payload}")
    if frame.mode is not RAISED:
        return error
    if isinstance(frame.payload, Exception) and isinstance(error, Exception):
        both = [frame.payload, error]
        return ExceptionGroup("the use of a resource and its release both failed", both)
    error.__context__ = frame.payload
    return error


def explain_environment(error: BaseException, env: Any) -> None:
    """Add to an `AttributeError` what was asked of the environment, and what was given."""
    if not isinstance(error, AttributeError) or error.name is None:
        return
    if error.obj is env:
        given = "it runs in none" if env is None else f"it runs in {_named(env)}"
        note = f"the effect needs an environment with `{error.name}`; {given}"
    elif (capability := _capability(env, error.obj)) is not None:
        given = _named(error.obj)
        note = f"the effect needs `{capability}` with `{error.name}`; the environment has {given}"
    else:
        return
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)


def _named(value: object) -> str:
    """The class of a value, with an article."""
    name = type(value).__name__
    return f"an {name}" if name[0] in "AEIOUaeiou" else f"a {name}"


def _capability(env: Any, value: object) -> str | None:
    """Under which name the environment has a value."""
    if env is None or value is None:
        return None
    names = (name for name in dir(env) if not name.startswith("_"))
    return next((name for name in names if getattr(env, name, None) is value), None)
