"""Scripts: what is answered to what, by pattern or in order, at once or after a while.

A script is a value. Each environment reads it from the beginning, with a cursor of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast, final

from attrs import frozen

from anabranch.values import parse_duration

Q = TypeVar("Q")
"""What is asked."""
A = TypeVar("A")
"""What is answered."""

_RECENT: Final = 5


class Unexpected(AssertionError):  # noqa: N818 (what it is: the text says the rest)
    """Something was asked for that the test did not foresee."""


class NotUsedUp(AssertionError):  # noqa: N818 (what it is: the text says the rest)
    """The test foresaw something that was not asked for."""


@frozen
class After(Generic[A]):
    """An answer that comes after a while, in virtual time."""

    seconds: float
    answer: A


def after(delay: timedelta | float | str, answer: A) -> After[A]:
    """An answer that comes after a while.

    Time passes in `run_virtual` and `simulate`; a live run does not wait.

    Args:
        delay: how long, as `1m 30s`, a number of seconds or a `timedelta`.
        answer: what then comes.

    >>> after("2s", b"content").seconds
    2.0
    """
    return After(parse_duration(delay).total_seconds(), answer)


@frozen
class InOrder:
    """Answers that are given one after the other; see `in_order`.

    Attributes:
        steps: pairs of what has to be asked and what is answered.
    """

    steps: tuple[tuple[object, Any], ...]


def in_order(steps: Sequence[Any]) -> InOrder:
    """A script that is followed step by step, and has to be used up.

    Args:
        steps: answers; or pairs of what has to be asked and its answer. What has to be asked is
            a pattern for its text, or a value that the request is compared with (`like`).

    >>> from anabranch import run, execute_commands, create_worktree
    >>> from anabranch.testing import mock_env, printed
    >>> env = mock_env(commands=in_order([("make *", printed()), ("git push", printed())]))
    >>> tree = run(create_worktree("one", parent="main"), env).unwrap()
    >>> run(execute_commands(tree, ["make all", "git pull"]), env)
    Traceback (most recent call last):
    ...
    anabranch.testing.mocks.scripts.Unexpected: unexpected command
      came:
        git pull
      next expected:
        git push
      before it came:
        make all
    """
    return InOrder(tuple(step if _is_pair(step) else (ANYTHING, step) for step in steps))


def _is_pair(step: object) -> bool:
    return isinstance(step, tuple)


@final
class _Anything:
    """Equal to everything."""

    __hash__ = None  # type: ignore[assignment]  # equal to things with any hash

    def __eq__(self, other: object) -> bool:
        return True

    def __repr__(self) -> str:
        return "(anything)"


ANYTHING: Final = _Anything()

Script: TypeAlias = (
    Mapping[str, A | After[A] | Callable[[Q], A | After[A]] | InOrder]
    | InOrder
    | Callable[[Q], A | After[A]]
)
"""Answers by pattern (the first that fits), in order, or by a function of the request.

Each answer may come after a while, and may be a function of the request, too.
"""


@final
class Reader(Generic[Q, A]):
    """Reads one script, from beginning to end.

    Args:
        script: what is answered.
        text: a request in words, which patterns are compared with.
        what: what a request is called.
        strict: whether a request that no pattern fits is unexpected, and not just unscripted.
        fit: whether the words of a request fit a pattern.
    """

    def __init__(
        self,
        script: Any,
        *,
        text: Callable[[Q], str],
        what: str,
        strict: bool = True,
        fit: Callable[[str, str], bool] = fnmatchcase,
    ) -> None:
        patterns = isinstance(script, Mapping)
        self._patterns = cast("Mapping[str, Any]", script) if patterns else None
        self._whole: Any = None if patterns else script
        self._text = text
        self._what = what
        self._strict = strict
        self._fit = fit
        self._taken: dict[str, int] = {}
        self._came: list[str] = []

    def reply(self, request: Q) -> After[A] | None:
        """The answer, and how long it takes; `None` if nothing is scripted for the request.

        Raises:
            Unexpected: the script has something else in its place.
        """
        found = self._find(request)
        self._came.append(self._text(request))
        if found is None:
            return None
        answer: Any = found(request) if callable(found) else found
        return cast("After[A]", answer) if isinstance(answer, After) else After(0.0, answer)

    def left(self) -> Iterator[str]:
        """What has to be asked, and was not."""
        scripts = {"": self._whole} if self._patterns is None else self._patterns
        for pattern, script in scripts.items():
            if isinstance(script, InOrder):
                for expected, _ in script.steps[self._taken.get(pattern, 0) :]:
                    yield f"{self._what}: {_shown(expected, pattern)}"

    def _find(self, request: Q) -> Any:
        if self._patterns is None:
            whole = self._whole
            return self._next(whole, request, "") if isinstance(whole, InOrder) else whole
        text = self._text(request)
        for pattern, reply in self._patterns.items():
            if self._fit(text, pattern):
                return self._next(reply, request, pattern) if isinstance(reply, InOrder) else reply
        if not self._strict:
            return None
        raise self._unexpected(request, "expected one of", list(self._patterns) or ["(nothing)"])

    def _next(self, script: InOrder, request: Q, pattern: str) -> Any:
        number = self._taken.get(pattern, 0)
        if number == len(script.steps):
            raise self._unexpected(request, "next expected", ["(nothing more)"])
        expected, answer = script.steps[number]
        if not self._matches(expected, request):
            raise self._unexpected(request, "next expected", [_shown(expected, pattern)])
        self._taken[pattern] = number + 1
        return answer

    def _matches(self, expected: object, request: Q) -> bool:
        if isinstance(expected, str):
            return self._fit(self._text(request), expected)
        return expected == request

    def _unexpected(self, request: Q, title: str, expected: list[str]) -> Unexpected:
        sections = [("came", [self._text(request)]), (title, expected)]
        if self._came:
            sections.append(("before it came", self._came[-_RECENT:]))
        lines = [f"  {name}:\n" + "\n".join(map(_indented, shown)) for name, shown in sections]
        return Unexpected("\n".join([f"unexpected {self._what}", *lines]))


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines() or [""])


def _shown(expected: object, pattern: str) -> str:
    if expected is ANYTHING:
        return pattern or repr(expected)
    return expected if isinstance(expected, str) else repr(expected)
