"""The one machine that runs effects: a loop over the closed set of nodes.

A `Fiber` runs one effect. It is synchronous: `advance` goes as far as it can and returns
either `None` (the fiber has ended; see `mode` and `payload`) or a *request*, which says
what must happen in the world before it can go on. A *driver* carries out the request and
calls `advance` again with the answer. What is runnable next, what time it is and when a
leaf completes are the driver's; everything that effects *mean* is decided here. The live
interpreter and the simulator are two drivers of the same machine.

The continuation is an explicit stack of frames (a node that waits for what is inside it,
a generator, or one of the frames below), so a chain of a million steps needs no Python
stack. There are three ways to unwind it: with a value, with a failure, with an exception.
"""

from __future__ import annotations

from functools import partial
from types import CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Final, cast, final

from returns.result import Failure, Success

from anabranch.effects.core import (
    ASYNC,
    BLOCKING,
    Asks,
    Bracket,
    Effect,
    Exit,
    Fail,
    Label,
    Leaf,
    Local,
    Map,
    MapError,
    Now,
    OrElse,
    Par,
    Rare,
    Sleep,
    Steps,
    Succeed,
    Then,
    Timeout,
    Wait,
)
from anabranch.interpreters.frames import (
    Abandoned,
    Leave,
    Release,
    Released,
    Restore,
    class_of,
    explain_environment,
    generator,
    no_result,
    not_an_effect,
    release_failed,
    release_raised,
    sure,
    to_await,
    with_labels,
)
from anabranch.interpreters.groups import Group
from anabranch.interpreters.requests import (
    FAILED,
    OK,
    RAISED,
    YIELD,
    YIELD_SHIELDED,
    CallBlocking,
    Fork,
    Pause,
    Request,
    Span,
    Until,
    Within,
    World,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from anabranch.interpreters.frames import Frame

SLICE: Final = 24
"""How many nodes a fiber may run before it offers others a turn: less than 10 µs."""

_FUEL: Final = (None,) * SLICE

_ANSWERED: Final = object()
"""In the place of a node: there is none to evaluate, but the answer to a request to hand on."""


def as_any(value: object) -> Any:
    """The same value; checkers forget what it is, so that the loop's variables stay `Any`."""
    return value


def _itself(effect: Effect[Any, Any, Any]) -> Effect[Any, Any, Any]:
    return effect


_DEEPEST_EAGER: Final = 16
"""How deep fibers inside fibers are started at once; further in, the driver starts them."""


@final
class Fiber:
    """One effect on its way. After `advance` returned `None`, `mode` and `payload` say how.

    Attributes:
        depth: how many fibers it is inside of.
        env: the environment of what runs now.
        stack: what waits for what runs now, the innermost last.
        group, job: whose worker it is, and the key of the job that it is at, if it is one.
        mode, payload: how it ended.
        waiting_for: the leaf that it asked the driver to complete last.
    """

    __slots__ = (
        "_node",
        "_shields",
        "_span",
        "_waited",
        "depth",
        "env",
        "group",
        "job",
        "mode",
        "payload",
        "stack",
        "waiting_for",
        "world",
    )

    def __init__(
        self,
        world: World,
        effect: Effect[Any, Any, Any],
        env: Any,
        *,
        span: Span | None = None,
        depth: int = 0,
        group: Group | None = None,
        job: Any = None,
    ) -> None:
        self.world = world
        self.depth = depth
        self.mode: Exit = OK
        self.payload: Any = None
        self.waiting_for: Leaf[Any, Any, Any] | None = None
        self._node: object = effect
        self.env = env
        self._span = span
        self.group = group
        self.job = job
        self.stack: list[Frame] = []
        self._shields = 0
        self._waited = False

    def advance(self, mode: Exit, payload: Any) -> Request | None:  # noqa: C901, PLR0911, PLR0912, PLR0915 (the one loop: split, it costs a call at each step)
        """Go on with the answer to the last request; `OK, None` to begin with.

        The loop evaluates a node, and hands its value to the frames that wait for it.
        """
        value = payload
        node: Any = self._node
        self._node = _ANSWERED
        stack: list[Any] = self.stack
        if self._shields:
            self._waited = True
        while True:
            try:
                if mode is not OK:
                    unwound = self._unwind(mode, value)
                    if unwound is None:
                        return None
                    node = as_any(unwound)
                fuel = iter(_FUEL)
                for _ in fuel:
                    kind = class_of(node)
                    if node is _ANSWERED:
                        pass
                    elif kind is Leaf:
                        if node.manner is ASYNC:
                            self.waiting_for = node
                            made: Request = node.function(self.env)
                            if self._shields or class_of(made) is not CoroutineType:
                                return to_await(made, shielded=self._shields > 0)
                            return made
                        answer = self._call(node)
                        if class_of(answer) is not Success:
                            if class_of(answer) is not Failure:
                                return cast("Request", answer)
                            node = as_any(Fail(answer.failure()))
                            continue
                        value = answer.unwrap()
                    elif kind is Succeed:
                        value = node.value
                    elif kind is Then or kind is Map or kind is OrElse or kind is MapError:
                        stack.append(node)
                        node = node.source
                        continue
                    elif kind is Asks:
                        value = node.function(self.env)
                    elif kind is Steps:
                        stack.append(generator(node))
                        value = None
                    else:
                        entered = self._enter(node)
                        if not isinstance(entered, Effect):
                            return entered
                        node = as_any(entered)
                        continue
                    for _ in fuel:
                        if not stack:
                            if self.group is None:
                                self.mode, self.payload = OK, value
                                return None
                            job = self.group.succeeded(self, value)
                            if job is None:
                                self.mode, self.payload = OK, None
                                return None
                            node = job
                            break
                        frame = stack.pop()
                        kind = class_of(frame)
                        if kind is Then:
                            node = frame.function(value)
                            break
                        if kind is Map:
                            value = frame.function(value)
                        elif kind is GeneratorType:
                            try:
                                node = frame.send(value)
                            except StopIteration as stop:
                                value = stop.value
                            else:
                                stack.append(frame)
                                break
                        elif kind is not OrElse and kind is not MapError:
                            node = as_any(self._leave(frame, value))
                            break
                    else:
                        node = as_any(Succeed(value))
                self._node = node
                return YIELD_SHIELDED if self._shields else YIELD  # noqa: TRY300 (no step is free)
            except BaseException as error:  # noqa: BLE001 (a defect or a cancellation: unwound)
                mode, value = RAISED, as_any(error)

    def begin(self, effect: Effect[Any, Any, Any], job: Any) -> None:
        """Have a worker that rests begin with another job when it goes on."""
        self._node, self.job = effect, job

    def take(self, effect: Effect[Any, Any, Any] | None) -> Request | None:
        """Begin with the effect of a worker's next job; without one, the worker has ended."""
        self._node = effect
        if effect is not None:
            return self.advance(OK, None)
        self.mode, self.payload = OK, None
        return None

    def before_it_goes_on(self, act: Callable[[], object]) -> None:
        """Have a fiber that offered others a turn do something first when it has its own."""
        node = self._node
        self._node = Then(Asks(lambda _: act()), lambda _: as_any(node))

    def _call(self, leaf: Leaf[Any, Any, Any]) -> Any:
        """Call a leaf that is no coroutine: its `Result`, or the request for one."""
        if leaf.manner is BLOCKING:
            self.waiting_for = leaf
            return CallBlocking(partial(leaf.function, self.env), self._shields > 0)
        made: Any = leaf.function(self.env)
        if class_of(made) is Success or class_of(made) is Failure:
            return made
        raise no_result(made)

    def _unwind(self, mode: Exit, payload: Any) -> Any:
        if mode is FAILED:
            return self._unwind_failure(payload)
        return self._unwind_exception(payload)

    def _enter(  # noqa: PLR0911 (a case each)
        self, node: Rare
    ) -> Effect[Any, Any, Any] | Request | None:
        """Evaluate one of the rarer nodes: what to evaluate next, or a request, or the end."""
        match node:
            case Fail():
                return self._unwind_failure(node.error)
            case Sleep():
                return Pause(node.seconds, self._shields > 0)
            case Now():
                return Succeed(self.world.now())
            case Local():
                self.stack.append(Restore(self.env))
                self.env = node.function(self.env)
                return node.source
            case Label():
                return self._label(node)
            case Bracket():
                self._shields += 1
                self.stack.append(node)
                return node.source
            case Par():
                return self._fork(node)
            case Timeout():
                return self._within(node)
            case Wait():
                return Until(node.register, self._shields > 0)
        raise not_an_effect(node)

    def _label(self, node: Label) -> Effect[Any, Any, Any]:
        tracer, span = self.world.tracer, None
        if tracer is not None:
            span = Span(node.label, self._span, self.world.now())
            tracer.started(span)
        self.stack.append(Leave(node.label, self._span, span, carried=node.carried))
        self._span = span
        return node.source

    def _fork(self, node: Par) -> Effect[Any, Any, Any] | Request | None:
        eager = self.world.eager and self.depth < _DEEPEST_EAGER
        group = Group(node.schedule(), node.limit, self._worker, eager=eager)
        if group.start():
            return Fork(group, self._shields > 0)
        return self._ended(*group.outcome())

    def _worker(self, effect: Effect[Any, Any, Any], group: Group, job: Any) -> Fiber:
        return Fiber(
            self.world,
            effect,
            self.env,
            span=self._span,
            depth=self.depth + 1,
            group=group,
            job=job,
        )

    def _within(self, node: Timeout) -> Effect[Any, Any, Any] | Request | None:
        fiber = Fiber(self.world, node.source, self.env, span=self._span, depth=self.depth + 1)
        if not self.world.eager or self.depth >= _DEEPEST_EAGER:
            return Within(fiber, None, node.seconds, self._shields > 0)
        request = fiber.advance(OK, None)
        if request is not None:
            return Within(fiber, request, node.seconds, self._shields > 0)
        return self._ended(fiber.mode, fiber.payload)

    def _ended(self, mode: Exit, payload: Any) -> Effect[Any, Any, Any]:
        if mode is RAISED:
            raise payload
        return Succeed(payload) if mode is OK else Fail(payload)

    def _leave(
        self, frame: Abandoned | Bracket | Restore | Leave | Release | Released, value: Any
    ) -> Effect[Any, Any, Any]:
        """Hand a value to one of the rarer frames."""
        match frame:
            case Restore():
                self.env = frame.env
            case Abandoned():
                return Fail(frame.error)
            case Leave():
                self._close(frame, OK, value)
            case Bracket():
                self.stack.append(Release(frame.release, value))
                return self._unshielded(frame.use, value)
            case Release():
                return self._release(frame, OK, value)
            case Released() if frame.mode is RAISED:
                self._shields -= 1
                raise frame.payload
            case Released():
                return self._unshielded(Succeed if frame.mode is OK else Fail, frame.payload)
        return Succeed(value)

    def _unshielded(
        self, function: Callable[[Any], Effect[Any, Any, Any]], argument: Any
    ) -> Effect[Any, Any, Any]:
        """Go on behind a shield. If it waited, a cancellation that came meanwhile is seen first."""
        self._shields -= 1
        return function(argument) if self._shields else self._seeing(function, argument)

    def _seeing(
        self, function: Callable[[Any], Effect[Any, Any, Any]], argument: Any
    ) -> Effect[Any, Any, Any]:
        """Look for a cancellation if there was a shielded wait; then go on."""
        if not self._waited:
            return function(argument)
        self._waited = False
        return Then(Sleep(0), lambda _: function(argument))

    def _unwind_failure(  # noqa: C901, PLR0911 (a case each)
        self, error: Any
    ) -> Effect[Any, Any, Any] | None:
        """Look for the frame that takes a failure; without one, the fiber has ended."""
        while self.stack:
            frame = self.stack.pop()
            match frame:
                case OrElse():
                    return sure(frame.function(error))
                case MapError():
                    error = frame.function(error)
                case GeneratorType():
                    return self._abandon(frame, error)
                case Restore():
                    self.env = frame.env
                case Leave():
                    error = self._out_of_labels(frame, error)
                case Release():
                    return self._release(frame, FAILED, error)
                case Released() if frame.mode is RAISED:
                    self._shields -= 1
                    frame.payload.add_note(f"and the release failed: {error}")
                    raise frame.payload
                case Released():
                    return self._unshielded(Fail, release_failed(frame, error))
                case Bracket():
                    return self._unshielded(Fail, error)
                case Then() | Map() | Abandoned():
                    pass
        if self.group is not None:
            return self._after_work(self.group.failed(self, error))
        self.mode, self.payload = FAILED, error
        return None

    def _out_of_labels(self, frame: Leave, error: Any) -> Any:
        """Leave labels that stand directly around each other; the error is wrapped once for all."""
        labels: list[str] = []
        while True:
            self._close(frame, FAILED, error if frame.span is None else with_labels(error, labels))
            if frame.carried:
                labels.append(frame.label)
            if not self.stack or not isinstance(self.stack[-1], Leave):
                return with_labels(error, labels)
            frame = cast("Leave", self.stack.pop())

    def _unwind_exception(  # noqa: C901 (a case each)
        self, error: BaseException
    ) -> Effect[Any, Any, Any] | None:
        """Look for the frame that takes an exception; without one, the fiber has ended."""
        explain_environment(error, self.env)
        while self.stack:
            frame = self.stack.pop()
            match frame:
                case GeneratorType():
                    return self._throw(frame, error)
                case Abandoned() if error is frame.exit:
                    return Fail(frame.error)
                case Abandoned():
                    pass
                case Restore():
                    self.env = frame.env
                case Leave():
                    self._close(frame, RAISED, error)
                    if isinstance(error, Exception):
                        error.add_note(f"in {frame.label}")
                case Release():
                    return self._release(frame, RAISED, error)
                case Released():
                    self._shields -= 1
                    error = release_raised(frame, error)
                case Bracket():
                    self._shields -= 1
                case Then() | Map() | OrElse() | MapError():
                    pass
        if self.group is not None:
            return self._after_work(self.group.raised(self, error), error)
        self.mode, self.payload = RAISED, error
        return None

    def _after_work(
        self, effect: Effect[Any, Any, Any] | None, error: BaseException | None = None
    ) -> Effect[Any, Any, Any] | None:
        """Go on with the worker's next job, or end the worker."""
        if effect is not None:
            return self._seeing(_itself, effect)
        if error is None or isinstance(error, Exception):
            self.mode, self.payload = OK, None
        else:
            self.mode, self.payload = RAISED, error
        return None

    def _throw(
        self, frame: GeneratorType[Any, Any, Any], error: BaseException
    ) -> Effect[Any, Any, Any]:
        """Raise it inside a `do` function, which may clean up, go on, or raise it again."""
        try:
            node: Effect[Any, Any, Any] = frame.throw(error)
        except StopIteration as stop:
            return Succeed(stop.value)
        self.stack.append(frame)
        return sure(node)

    def _abandon(self, steps: GeneratorType[Any, Any, Any], error: Any) -> Effect[Any, Any, Any]:
        """Leave a `do` function at a failure: what it has in `finally` runs, effects and all."""
        frame = Abandoned(error)
        self.stack.append(frame)
        return self._throw(steps, frame.exit)

    def _release(self, frame: Release, mode: Exit, payload: Any) -> Effect[Any, Any, Any]:
        self._shields += 1
        self.stack.append(Released(mode, payload))
        return sure(frame.release(frame.resource, mode))

    def _close(self, frame: Leave, mode: Exit, payload: Any) -> None:
        self._span = frame.outer
        if frame.span is not None and self.world.tracer is not None:
            self.world.tracer.ended(frame.span, mode, payload)
