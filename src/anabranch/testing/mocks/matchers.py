"""Matchers: values that are equal to every value like them, for comparing requests in part."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, final


@final
class _Like:
    """Equal to whatever is of a class and has these attributes."""

    __hash__ = None  # type: ignore[assignment]  # equal to things with any hash

    def __init__(self, kind: type[object], fields: dict[str, object]) -> None:
        self._kind = kind
        self._fields = fields

    def __eq__(self, other: object) -> bool:
        missing = object()
        return isinstance(other, self._kind) and all(
            getattr(other, name, missing) == value for name, value in self._fields.items()
        )

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self._fields.items())
        return f"{self._kind.__name__}({fields}, …)" if fields else f"{self._kind.__name__}(…)"


@final
class _Fits:
    """Equal to every text that fits a pattern."""

    __hash__ = None  # type: ignore[assignment]  # as above

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and fnmatchcase(other, self._pattern)

    def __repr__(self) -> str:
        return f"fits({self._pattern!r})"


def like(kind: type[object] = object, /, **fields: object) -> Any:
    """Equal to every value of a class with these attributes, whatever else it has.

    Args:
        kind: the class; any unless given.
        **fields: attributes, compared with `==`, so that matchers may be nested.

    >>> from anabranch.environment import Invocation
    >>> run = Invocation(argv=("sh", "-c", "make"), cwd="/mock/agent-0")
    >>> run == like(Invocation, cwd=fits("*/agent-0")), run == like(label="x")
    (True, False)
    """
    return _Like(kind, fields)


def fits(pattern: str) -> Any:
    """Equal to every text that fits a pattern, in which `*` is any text.

    >>> ["git add .", "git commit"] == [fits("git *"), fits("* commit")]
    True
    """
    return _Fits(pattern)
