"""What passes between the machine and its drivers: modes, requests, spans, the world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, final

from attrs import frozen

from anabranch.effects.core import Exit

if TYPE_CHECKING:
    from anabranch.interpreters.groups import Group
    from anabranch.interpreters.machine import Fiber


OK, FAILED, RAISED = Exit.OK, Exit.FAILED, Exit.RAISED


# --- what a fiber asks of its driver -----------------------------------------------------------


@final
@frozen
class Await:
    """Await it and answer with its `Result`."""

    awaitable: Awaitable[Any]
    shielded: bool


@final
@frozen
class CallBlocking:
    """Call it on a worker thread and answer with its `Result`."""

    function: Callable[[], Any]
    shielded: bool


@final
@frozen
class Pause:
    """Wait on the clock and answer with nothing."""

    seconds: float
    shielded: bool


@final
@frozen
class Until:
    """Wait until the function that `register` is given was called, and answer with nothing."""

    register: Callable[[Callable[[], None]], object]
    shielded: bool


@final
@frozen
class Yield:
    """Let others have a turn if it is theirs, see whether there is a cancellation, and go on."""

    shielded: bool


YIELD: Final = Yield(shielded=False)
YIELD_SHIELDED: Final = Yield(shielded=True)


@final
@frozen
class Fork:
    """Run the group's workers until the group is over."""

    group: Group
    shielded: bool


@final
@frozen
class Within:
    """Run the fiber, which has a request, and cancel it after `seconds`."""

    fiber: Fiber
    request: Request | None
    seconds: float
    shielded: bool


Request: TypeAlias = (
    "CoroutineType[Any, Any, Any] | Await | CallBlocking | Pause | Until | Yield | Fork | Within"
)
"""A coroutine stands for itself: await it, unshielded, and answer with its `Result`."""


def shielded(request: Request) -> bool:
    """Whether what the request asks for must not be cancelled from outside."""
    return not isinstance(request, CoroutineType) and request.shielded


class Tracer(Protocol):
    """Sees every labelled effect start and end. Its methods must be quick and not raise."""

    def started(self, span: Span) -> None:
        """A labelled effect starts."""
        ...

    def ended(self, span: Span, mode: Exit, payload: Any) -> None:
        """A labelled effect ended: with its value, its error or its exception."""
        ...


@frozen
class Span:
    """One labelled effect while it runs. `parent` is the label around it, if there is one."""

    label: str
    parent: Span | None
    started_at: float


class World(Protocol):
    """What the machine needs of a driver at once, without waiting."""

    @property
    def eager(self) -> bool:
        """Whether a group may run its workers up to their first wait before the driver does."""
        ...

    @property
    def tracer(self) -> Tracer | None:
        """Who wants to see labelled effects."""
        ...

    def now(self) -> float:
        """The clock, in seconds."""
        ...
