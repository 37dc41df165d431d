"""`Effect[T, E, Env]`: I/O as an immutable, reusable value.

An effect is a small tree over a *closed* set of nodes (the classes at the end of this
file). Making one does nothing; running one twice does it twice. An interpreter walks the
tree in one loop with an explicit stack, so nesting costs heap, never Python stack.

The type has three parameters: what it succeeds with (`T`), what it can fail with (`E`)
and what it needs (`Env`, a protocol; `object` is nothing). `T` and `E` are covariant and
`Env` is contravariant, so errors add up by union and an effect that needs less fits
wherever one that needs more is wanted. No checker plugin is involved.

Nodes are plain slotted classes whose fields are written once, in `__init__`, and are no part
of `Effect`'s interface: a guard against assignment would make construction 1.6 times as
dear, and construction is half the cost of a step.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any, Generic, Never, TypeAlias, TypeVar, final, overload

from anabranch.effects.errors import ContextError

if TYPE_CHECKING:
    from returns.result import Result

    from anabranch.effects.schedules import Schedule

T = TypeVar("T", covariant=True)
E = TypeVar("E", covariant=True)
Env = TypeVar("Env", contravariant=True)
T2 = TypeVar("T2")
T3 = TypeVar("T3")
E2 = TypeVar("E2")
Env2 = TypeVar("Env2")


blank: Callable[[Any], Any] = object.__new__
"""An instance with no field set, for half of what it costs to call a class of nodes.

For the few nodes that are made for every step and every item of what is big.
"""


class Exit(IntEnum):
    """How something ended: with a value, with a failure, with an exception."""

    OK = 0
    FAILED = 1
    RAISED = 2


class Step(Generic[E, Env]):
    """What a `do` function yields: an effect of which only the errors and the needs are known.

    Were it called an `Effect`, an effect would be an iterable of effects, and `par_all(effect)`
    would pass the type checkers.
    """

    __slots__ = ()


class Effect(Step[E, Env], Generic[T, E, Env]):
    """A description of I/O that needs an `Env` and ends in a `T` or a failure `E`.

    Make one with `succeed`, `fail`, `from_function`, `from_async`, …; combine with the
    methods below; run with `run(effect, env)`. Not to be subclassed: the set of nodes is
    closed.

    >>> from anabranch import run, succeed
    >>> double = succeed(21).map(lambda n: n * 2)
    >>> run(double), run(double)
    (<Success: 42>, <Success: 42>)
    """

    __slots__ = ("__weakref__",)

    @overload
    def and_then(
        self: Effect[Any, Any, object], function: Callable[[T], Effect[T2, E2, Env2]]
    ) -> Effect[T2, E | E2, Env2]: ...
    @overload
    def and_then(self, function: Callable[[T], Effect[T2, E2, Env]]) -> Effect[T2, E | E2, Env]: ...
    def and_then(self, function: Callable[[Any], Effect[Any, Any, Any]]) -> Effect[Any, Any, Any]:
        """Run this, then the effect that `function` makes of its value."""
        node: Then = blank(Then)
        node.source, node.function = self, function
        return node

    def map(self, function: Callable[[T], T2]) -> Effect[T2, E, Env]:
        """Apply a plain function to the value."""
        return Map(self, function)

    def map_error(self, function: Callable[[E], E2]) -> Effect[T, E2, Env]:
        """Apply a plain function to the error."""
        return MapError(self, function)

    @overload
    def or_else(
        self: Effect[Any, Any, object], function: Callable[[E], Effect[T2, E2, Env2]]
    ) -> Effect[T | T2, E2, Env2]: ...
    @overload
    def or_else(self, function: Callable[[E], Effect[T2, E2, Env]]) -> Effect[T | T2, E2, Env]: ...
    def or_else(self, function: Callable[[Any], Effect[Any, Any, Any]]) -> Effect[Any, Any, Any]:
        """On failure, go on with the effect that `function` makes of the error."""
        return OrElse(self, function)

    def recover(self, function: Callable[[E], T2]) -> Effect[T | T2, Never, Env]:
        """On failure, succeed with what `function` makes of the error."""
        return OrElse(self, lambda error: Succeed(function(error)))

    @overload
    def tap(
        self: Effect[Any, Any, object], function: Callable[[T], Effect[object, E2, Env2]]
    ) -> Effect[T, E | E2, Env2]: ...
    @overload
    def tap(self, function: Callable[[T], Effect[object, E2, Env]]) -> Effect[T, E | E2, Env]: ...
    def tap(self, function: Callable[[Any], Effect[Any, Any, Any]]) -> Effect[Any, Any, Any]:
        """Run another effect on the value and keep the value. Its failure counts."""
        return Then(self, lambda value: Map(function(value), lambda _: value))

    @overload
    def zip(
        self: Effect[Any, Any, object], other: Effect[T2, E2, Env2]
    ) -> Effect[tuple[T, T2], E | E2, Env2]: ...
    @overload
    def zip(self, other: Effect[T2, E2, Env]) -> Effect[tuple[T, T2], E | E2, Env]: ...
    def zip(self, other: Effect[Any, Any, Any]) -> Effect[Any, Any, Any]:
        """Run this, then `other`; both values as a pair. `zip_par` runs them at once."""
        return Then(self, lambda left: Map(other, lambda right: (left, right)))

    @overload
    def zip_with(
        self: Effect[Any, Any, object], other: Effect[T2, E2, Env2], function: Callable[[T, T2], T3]
    ) -> Effect[T3, E | E2, Env2]: ...
    @overload
    def zip_with(
        self, other: Effect[T2, E2, Env], function: Callable[[T, T2], T3]
    ) -> Effect[T3, E | E2, Env]: ...
    def zip_with(
        self, other: Effect[Any, Any, Any], function: Callable[[Any, Any], Any]
    ) -> Effect[Any, Any, Any]:
        """Run this, then `other`; combine the values."""
        return Then(self, lambda left: Map(other, lambda right: function(left, right)))

    def as_(self, value: T2) -> Effect[T2, E, Env]:
        """Replace the value."""
        return Map(self, lambda _: value)

    def ensure(self, predicate: Callable[[T], bool], error: E2) -> Effect[T, E | E2, Env]:
        """Fail with `error` unless the value passes."""
        return Then(self, lambda value: Succeed(value) if predicate(value) else Fail(error))

    def filter_or_fail(
        self, predicate: Callable[[T], bool], error: Callable[[T], E2]
    ) -> Effect[T, E | E2, Env]:
        """Fail with what `error` makes of the value unless the value passes."""
        return Then(self, lambda value: Succeed(value) if predicate(value) else Fail(error(value)))

    def when(self, condition: bool) -> Effect[T | None, E, Env]:  # noqa: FBT001 (reads as a sentence)
        """Run only if `condition` holds; otherwise succeed with `None`."""
        return self if condition else Succeed(None)

    def unless(self, condition: bool) -> Effect[T | None, E, Env]:  # noqa: FBT001 (as `when`)
        """Run only if `condition` does not hold; otherwise succeed with `None`."""
        return self.when(not condition)

    def settled(self) -> Effect[Result[T, E], Never, Env]:
        """Never fail: the value is a `returns` `Result`."""
        from returns.result import Failure, Success

        return OrElse(Map(self, Success), lambda error: Succeed(Failure(error)))

    def and_finally(self, finaliser: Effect[object, Never, Env]) -> Effect[T, E, Env]:
        """Run `finaliser` once after this, however it ends; it is shielded from cancellation."""
        return Bracket(Succeed(None), lambda _, __: finaliser, lambda _: self)

    def on_interrupt(self, finaliser: Effect[object, Never, Env]) -> Effect[T, E, Env]:
        """Run `finaliser` if this is cancelled or raises, shielded; not on success or failure."""

        def release(_: None, exit_: Exit) -> Effect[object, Never, Any]:
            return finaliser if exit_ is Exit.RAISED else Succeed(None)

        return Bracket(Succeed(None), release, lambda _: self)

    @overload
    def context(self: Effect[Any, Never, Any], label: str) -> Effect[T, Never, Env]: ...
    @overload
    def context(
        self: Effect[Any, ContextError[E2], Any], label: str
    ) -> Effect[T, ContextError[E2], Env]: ...
    @overload
    def context(self, label: str) -> Effect[T, ContextError[E], Env]: ...
    def context(self, label: str) -> Effect[Any, Any, Any]:
        """Label this effect: errors that pass through carry the label, tracers see it.

        A failure arrives as one flat `ContextError` with its labels from the inside out;
        an unexpected exception carries them as notes.
        """
        return Label(self, label, carried=True)

    def span(self, label: str) -> Effect[T, E, Env]:
        """Label this effect for tracers, progress and notes on exceptions only."""
        return Label(self, label, carried=False)

    def provide(self, env: Env) -> Effect[T, E, object]:
        """Give it its environment; what comes back needs none."""
        return Local(self, lambda _: env)

    def local(self, function: Callable[[Env2], Env]) -> Effect[T, E, Env2]:
        """Run it in the environment that `function` makes of the one around it."""
        return Local(self, function)

    def __iter__(self) -> Generator[Step[E, Env], Any, T]:
        """For `x = yield from effect` inside a function decorated with `do`."""
        result: T = yield self
        return result

    def __repr__(self) -> str:
        from anabranch.effects.printing import describe

        return describe(self)

    def __eq__(self, other: object) -> bool:
        """Structural: the same nodes around the same values and the same functions."""
        from anabranch.effects.printing import same

        return same(self, other)

    def __hash__(self) -> int:
        from anabranch.effects.printing import digest

        return digest(self)

    def __reduce__(self) -> tuple[Any, ...]:
        from anabranch.effects.printing import assemble, dismantle

        return assemble, (dismantle(self),)


# --- the closed set of nodes -------------------------------------------------------------------
# A node with an effect inside keeps it in `source`: the spine that printing, comparing and
# pickling walk without recursion.


@final
class Succeed(Effect[T, Never, object]):
    """A value."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


@final
class Fail(Effect[Never, E, object]):
    """A failure."""

    __slots__ = ("error",)

    def __init__(self, error: E) -> None:
        self.error = error


@final
class Asks(Effect[T, Never, Env]):
    """A value taken from the environment."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[Env], T]) -> None:
        self.function = function


class Manner(Enum):
    """How a leaf runs: inline, on a worker thread, or as a coroutine."""

    INLINE = "inline"
    BLOCKING = "blocking"
    ASYNC = "async"


INLINE, BLOCKING, ASYNC = Manner.INLINE, Manner.BLOCKING, Manner.ASYNC


@final
class Leaf(Effect[T, E, Env]):
    """A call into the world. `preview` is what a dry run assumes it would answer."""

    __slots__ = ("function", "label", "manner", "preview")

    def __init__(
        self,
        function: Callable[[Env], Result[T, E] | Awaitable[Result[T, E]]],
        manner: Manner,
        label: str | None = None,
        preview: Result[T, E] | None = None,
    ) -> None:
        self.function = function
        self.manner = manner
        self.label = label
        self.preview = preview


@final
class Then(Effect[Any, Any, Any]):
    """Sequence: `function` makes the next effect of the value."""

    __slots__ = ("function", "source")

    def __init__(
        self, source: Effect[Any, Any, Any], function: Callable[[Any], Effect[Any, Any, Any]]
    ) -> None:
        self.source = source
        self.function = function


@final
class Map(Effect[T, Any, Any]):
    """A plain function applied to the value."""

    __slots__ = ("function", "source")

    def __init__(self, source: Effect[Any, Any, Any], function: Callable[[Any], T]) -> None:
        self.source = source
        self.function = function


@final
class MapError(Effect[Any, E, Any]):
    """A plain function applied to the error."""

    __slots__ = ("function", "source")

    def __init__(self, source: Effect[Any, Any, Any], function: Callable[[Any], E]) -> None:
        self.source = source
        self.function = function


@final
class OrElse(Effect[Any, Any, Any]):
    """`function` makes the next effect of the error."""

    __slots__ = ("function", "source")

    def __init__(
        self, source: Effect[Any, Any, Any], function: Callable[[Any], Effect[Any, Any, Any]]
    ) -> None:
        self.source = source
        self.function = function


@final
class Local(Effect[T, E, Env]):
    """Another environment for the effect inside."""

    __slots__ = ("function", "source")

    def __init__(self, source: Effect[T, E, Any], function: Callable[[Env], Any]) -> None:
        self.source = source
        self.function = function


@final
class Label(Effect[Any, Any, Any]):
    """A name for the effect inside; errors are `carried` in a `ContextError` if wanted."""

    __slots__ = ("carried", "label", "source")

    def __init__(self, source: Effect[Any, Any, Any], label: str, *, carried: bool) -> None:
        self.source = source
        self.label = label
        self.carried = carried


@final
class Steps(Effect[T, E, Env]):
    """A generator function that yields effects and returns a value, with its arguments."""

    __slots__ = ("arguments", "function", "keywords")

    def __init__(
        self,
        function: Callable[..., Generator[Step[E, Env], Any, T]],
        arguments: tuple[Any, ...],
        keywords: tuple[tuple[str, Any], ...],
    ) -> None:
        self.function = function
        self.arguments = arguments
        self.keywords = keywords


@final
class Bracket(Effect[Any, Any, Any]):
    """Acquire, use, and release exactly once if the acquisition succeeded.

    `release` is told how the use ended.
    """

    __slots__ = ("release", "source", "use")

    def __init__(
        self,
        acquire: Effect[Any, Any, Any],
        release: Callable[[Any, Exit], Effect[Any, Any, Any]],
        use: Callable[[Any], Effect[Any, Any, Any]],
    ) -> None:
        self.source = acquire
        self.release = release
        self.use = use


@final
class Par(Effect[Any, Any, Any]):
    """Several effects at once, at most `limit`; a `Schedule` says which and when it is over."""

    __slots__ = ("limit", "schedule")

    def __init__(self, schedule: Callable[[], Schedule], limit: int | None) -> None:
        self.schedule = schedule
        self.limit = limit


@final
class Timeout(Effect[Any, Any, Any]):
    """The effect inside is cancelled after `seconds`."""

    __slots__ = ("seconds", "source")

    def __init__(self, source: Effect[Any, Any, Any], seconds: float) -> None:
        self.source = source
        self.seconds = seconds


@final
class Sleep(Effect[None, Never, object]):
    """A wait of `seconds` on the driver's clock."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


@final
class Now(Effect[float, Never, object]):
    """The driver's clock: seconds since an arbitrary start; it never goes backwards."""

    __slots__ = ()


@final
class Wait(Effect[None, Never, object]):
    """Until told to go on: `register` is given the function that tells it, once or more often."""

    __slots__ = ("register",)

    def __init__(self, register: Callable[[Callable[[], None]], object]) -> None:
        self.register = register


Common: TypeAlias = (
    Succeed[Any]
    | Then
    | Map[Any]
    | OrElse
    | MapError[Any]
    | Leaf[Any, Any, Any]
    | Asks[Any, Any]
    | Steps[Any, Any, Any]
)
"""The nodes that an interpreter's inner loop handles itself."""

Rare: TypeAlias = (
    Fail[Any] | Local[Any, Any, Any] | Label | Bracket | Par | Timeout | Sleep | Now | Wait
)
"""All the others."""

Node: TypeAlias = Common | Rare
"""Every node there is. An interpreter handles each and ends in an unreachable case."""
