"""The dry run: the same value, walked without I/O, telling what it would do.

Plain functions between effects run, since they are pure by contract; leaves do not. A leaf
that was given a `preview` is taken to answer with it; after one that was not, whatever
depends on its answer is not known, and the dry run says so and goes on with the rest.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from itertools import islice
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, final

from attrs import frozen
from returns.result import Failure, Result, Success

from anabranch.effects.core import (
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
    Node,
    Now,
    OrElse,
    Par,
    Sleep,
    Steps,
    Succeed,
    Then,
    Timeout,
    Wait,
)
from anabranch.effects.errors import ReleaseError
from anabranch.interpreters.frames import Restore, generator, not_an_effect, with_labels

MOST: Final = 1000
"""How many jobs of a parallel effect are walked; it may be given an endless generator."""

LONGEST: Final = 100_000
"""How many acts are told; what is repeated until the world says something may go on for ever."""


@final
class _Unknown:
    """An answer that only the world can give."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN: Final = _Unknown()


class _Enough(Exception):  # noqa: N818 (it is no error)
    """There is more to tell than anybody reads."""


@frozen
class DryRun:
    """What an effect would do.

    Attributes:
        lines: what would happen, in order, indented by label and by parallel group; at most
            `LONGEST`, and of a parallel effect the first `MOST` jobs. What was left out is told.
        result: how it would end; `None` if that depends on answers that are not known, or on
            what was left out.
    """

    lines: tuple[str, ...]
    result: Result[Any, Any] | None

    def __str__(self) -> str:
        """One line for each act."""
        return "\n".join(self.lines)


def dry_run(effect: Effect[Any, Any, Any], env: Any = None) -> DryRun:
    """Walk an effect without carrying it out.

    Args:
        effect: what would be run.
        env: what `asks` reads from; without one, what depends on it is not known.

    >>> from anabranch import create_worktree, par_all_limit, succeed
    >>> trees = [create_worktree(name, parent="main") for name in ("one", "two")]
    >>> print(dry_run(par_all_limit(trees, 2)))
    at most 2 at a time:
      create worktree one
      create worktree two
    """
    walk = _Walk(env)
    try:
        mode, payload = walk.run(effect, "")
    except _Enough:
        return DryRun((*walk.lines, "… and so on"), None)
    if payload is UNKNOWN:
        return DryRun(tuple(walk.lines), None)
    return DryRun(tuple(walk.lines), Success(payload) if mode is Exit.OK else Failure(payload))


@frozen
class _Dedent:
    """The end of a label."""

    label: Label
    indent: str


@frozen
class _After:
    """The release was walked; the end of the use counts, and a failure of the release."""

    mode: Exit
    payload: Any


@frozen
class _Abandoned:
    """A `do` function is left; how it ended is known, unless what it still does fails."""

    mode: Exit
    payload: Any


@frozen
class _Held:
    """A resource that would be held, and the bracket that releases it."""

    bracket: Bracket
    resource: Any


def _released(bracket: Bracket, exit_: Exit, resource: Any) -> Effect[Any, Any, Any]:
    return bracket.release(resource, exit_)


if TYPE_CHECKING:
    _Frame: TypeAlias = (
        Then
        | OrElse
        | Map[Any]
        | MapError[Any]
        | Bracket
        | GeneratorType[Any, Any, Any]
        | Restore
        | _Dedent
        | _Held
        | _After
        | _Abandoned
    )


@final
class _Walk:
    """The walk through one effect: a loop with a stack, as the machine's."""

    def __init__(self, env: Any) -> None:
        self.lines: list[str] = []
        self._env = env
        self._indent = ""

    def run(self, effect: Effect[Any, Any, Any], indent: str) -> tuple[Exit, Any]:
        """Walk it; how it would end."""
        self._indent = indent
        stack: list[Any] = []
        try:
            return self._walked(effect, stack)
        except _Enough:
            for frame in stack:
                if isinstance(frame, GeneratorType):
                    with suppress(RuntimeError):  # it has more to do in a `finally`
                        frame.close()
            raise

    def _walked(self, effect: Effect[Any, Any, Any], stack: list[Any]) -> tuple[Exit, Any]:
        node: Any = effect
        while True:
            answer = self._entered(node, stack)
            if isinstance(answer, Effect):
                node = answer
                continue
            mode, payload = answer
            node = None
            while stack and node is None:
                mode, payload, node = self._left(stack.pop(), mode, payload, stack)
            if node is None:
                return mode, payload

    def _say(self, text: str) -> None:
        if len(self.lines) == LONGEST:
            raise _Enough
        self.lines.append(self._indent + text)

    def _entered(  # noqa: C901, PLR0911, PLR0912 (a case each)
        self, node: Node, stack: list[Any]
    ) -> Effect[Any, Any, Any] | tuple[Exit, Any]:
        match node:
            case Succeed():
                return Exit.OK, node.value
            case Fail():
                return Exit.FAILED, node.error
            case Then() | Map() | OrElse() | MapError() | Bracket():
                stack.append(node)
                return node.source
            case Steps():
                stack.append(generator(node))
                return Exit.OK, None
            case Asks():
                return Exit.OK, UNKNOWN if self._env is None else node.function(self._env)
            case Leaf():
                return self._foreseen(node)
            case Local():
                stack.append(Restore(self._env))
                self._env = None if self._env is None else node.function(self._env)
                return node.source
            case Label():
                self._say(f"{node.label}:")
                stack.append(_Dedent(node, self._indent))
                self._indent += "  "
                return node.source
            case Timeout():
                self._say(f"within {node.seconds:g}s:")
                return node.source
            case Sleep():
                self._say(f"wait {node.seconds:g}s")
                return Exit.OK, None
            case Now():
                return Exit.OK, 0.0
            case Wait():
                return Exit.OK, None
            case Par():
                return self._parallel(node)
        raise not_an_effect(node)

    def _foreseen(self, leaf: Leaf[Any, Any, Any]) -> tuple[Exit, Any]:
        name = getattr(leaf.function, "__qualname__", repr(leaf.function))
        self._say(leaf.label or f"call {name.rpartition('<locals>.')[2]}")
        match leaf.preview:
            case Success(value):
                return Exit.OK, value
            case Failure(error):
                return Exit.FAILED, error
            case _:
                return Exit.OK, UNKNOWN

    def _parallel(self, node: Par) -> tuple[Exit, Any]:
        schedule, indent, known = node.schedule(), self._indent, True
        self._say("all at once:" if node.limit is None else f"at most {node.limit} at a time:")
        over = False
        for key, effect in islice(iter(schedule.pull, None), MOST):
            mode, payload = self.run(effect, f"{indent}  ")
            known = known and payload is not UNKNOWN
            if payload is UNKNOWN or mode is Exit.OK:
                over = schedule.succeeded(key, payload)
            else:
                over = schedule.failed(key, payload)
            if over:
                break
        self._indent = indent
        if not over and schedule.pull() is not None:
            self._say(f"  … and more than these {MOST}")
            known = False
        if not known:
            return Exit.OK, UNKNOWN
        match schedule.finish():
            case Success(value):
                return Exit.OK, value
            case ended:
                return Exit.FAILED, ended.failure()

    def _left(  # noqa: C901, PLR0911, PLR0912 (a case each)
        self, frame: _Frame, mode: Exit, payload: Any, stack: list[Any]
    ) -> tuple[Exit, Any, Effect[Any, Any, Any] | None]:
        """Hand how something ended to the frame around it; perhaps there is more to walk."""
        match frame:
            case Restore():
                self._env = frame.env
            case _Dedent(label, indent):
                self._indent = indent
                if mode is Exit.FAILED and label.carried:
                    return mode, with_labels(payload, [label.label]), None
            case _After() if mode is Exit.FAILED:
                both = frame.mode is Exit.FAILED
                return mode, ReleaseError(frame.payload, payload) if both else payload, None
            case _Abandoned() if mode is Exit.FAILED:
                return mode, payload, None
            case _After() | _Abandoned():
                return frame.mode, frame.payload, None
            case Bracket() if mode is Exit.OK:
                stack.append(_Held(frame, payload))
                return self._next(mode, payload, frame.use)
            case _Held(bracket, resource):
                stack.append(_After(mode, payload))
                return self._next(Exit.OK, resource, partial(_released, bracket, mode))
            case Then() if mode is Exit.OK:
                return self._next(mode, payload, frame.function)
            case OrElse() if mode is Exit.FAILED:
                return self._next(mode, payload, frame.function)
            case Map() if mode is Exit.OK and payload is not UNKNOWN:
                return mode, frame.function(payload), None
            case MapError() if mode is Exit.FAILED:
                return mode, frame.function(payload), None
            case GeneratorType():
                return self._resumed(frame, mode, payload, stack)
            case _:
                pass
        return mode, payload, None

    def _next(
        self, mode: Exit, payload: Any, function: Any
    ) -> tuple[Exit, Any, Effect[Any, Any, Any] | None]:
        if payload is not UNKNOWN:
            return mode, payload, function(payload)
        self._say("… and what follows from its answer")
        return mode, payload, None

    def _resumed(
        self, steps: GeneratorType[Any, Any, Any], mode: Exit, payload: Any, stack: list[Any]
    ) -> tuple[Exit, Any, Effect[Any, Any, Any] | None]:
        try:
            if mode is Exit.OK and payload is not UNKNOWN:
                node: Effect[Any, Any, Any] = steps.send(payload)
            else:
                if payload is UNKNOWN:
                    self._say("… and what follows from its answer")
                stack.append(_Abandoned(mode, payload))
                node = steps.throw(GeneratorExit())
        except StopIteration as stop:
            return Exit.OK, stop.value, None
        except GeneratorExit:
            return mode, payload, None
        stack.append(steps)
        return mode, payload, node
