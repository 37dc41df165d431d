"""The functions of the condition language, in one table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from attrs import field, frozen

from anabranch.expressions.comparing import equal
from anabranch.expressions.paths import MISSING, Missing
from anabranch.expressions.tree import Literal, Operand
from anabranch.values import Json


@frozen(kw_only=True)
class Function:
    """A function: what it is called with, and what it answers.

    Attributes:
        parameters: what each argument is, for messages.
        apply: the answer for the arguments' values; it never raises.
        mistake: what is wrong with arguments of the right number, if anything.
        prepare: what a literal last argument becomes, once, before `apply` sees it.
    """

    name: str
    parameters: tuple[str, ...]
    apply: Callable[..., bool]
    mistake: Callable[[tuple[Operand, ...]], str | None] = field(default=lambda _: None)
    prepare: Callable[[Json], object] = field(default=lambda value: value)

    @property
    def signature(self) -> str:
        """How to call it."""
        return f"{self.name}({', '.join(self.parameters)})"


def length(value: Json | Missing) -> int | None:
    """Characters of a string, elements of an array, fields of an object; `None` of others.

    >>> length("abc"), length([1]), length({}), length(7)
    (3, 1, 0, None)
    """
    return len(value) if isinstance(value, str | Sequence | Mapping) else None


def truthy(value: Json | Missing) -> bool:
    """Whether a value that stands alone counts as true.

    >>> [truthy(value) for value in (True, 2, "x", [0], False, 0, "", "false", "0", None, [])]
    [True, True, True, True, False, False, False, False, False, False, False]
    """
    return value not in _FALSE_TEXTS if isinstance(value, str) else _truthy(value)


_FALSE_TEXTS: Final = frozenset({"", "false", "0"})


def _truthy(value: Json | Missing) -> bool:
    return value is not MISSING and bool(value)


def _contains(value: Json | Missing, part: Json | Missing) -> bool:
    if isinstance(value, str):
        return _as_text(part) in value if isinstance(part, str | int | float) else False
    if isinstance(value, Sequence):
        return any(equal(element, part) for element in value)
    return False


def _as_text(part: str | float) -> str:
    return part if isinstance(part, str) else str(part).lower()


def _has_length(value: Json | Missing, count: Json | Missing) -> bool:
    found = length(value)
    return found is not None and equal(found, count)


def _matches(value: Json | Missing, pattern: re.Pattern[str] | Json | Missing) -> bool:
    if not isinstance(value, str):
        return False
    compiled = _compiled(pattern) if isinstance(pattern, str) else pattern
    return isinstance(compiled, re.Pattern) and compiled.search(value) is not None


def _compiled(pattern: Json) -> re.Pattern[str] | None:
    """The regular expression (Python's `re`); what is none matches nothing."""
    try:
        return re.compile(pattern) if isinstance(pattern, str) else None
    except (re.error, OverflowError, RecursionError):
        return None


def _bad_pattern(arguments: tuple[Operand, ...]) -> str | None:
    match arguments[1]:
        case Literal(str(pattern)) if _compiled(pattern) is None:
            return f"not a regular expression: {pattern}"
        case _:
            return None


def _text_test(
    test: Callable[[str, str], bool],
) -> Callable[[Json | Missing, Json | Missing], bool]:
    def apply(value: Json | Missing, part: Json | Missing) -> bool:
        return isinstance(value, str) and isinstance(part, str) and test(value, part)

    return apply


def _is(*kinds: type) -> Callable[[Json | Missing], bool]:
    def apply(value: Json | Missing) -> bool:
        return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))

    return apply


def _is_array(value: Json | Missing) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_null(value: Json | Missing) -> bool:
    return value is None or value is MISSING


def _is_not_null(value: Json | Missing) -> bool:
    return not _is_null(value)


def _predicate(name: str, apply: Callable[[Json | Missing], bool]) -> Function:
    return Function(name=name, parameters=("path",), apply=apply)


FUNCTIONS: Final[Mapping[str, Function]] = {
    function.name: function
    for function in (
        Function(name="contains", parameters=("path", "text or element"), apply=_contains),
        Function(name="starts_with", parameters=("path", "text"), apply=_text_test(str.startswith)),
        Function(name="ends_with", parameters=("path", "text"), apply=_text_test(str.endswith)),
        Function(
            name="matches",
            parameters=("path", "regular expression"),
            apply=_matches,
            mistake=_bad_pattern,
            prepare=_compiled,
        ),
        Function(name="length", parameters=("path", "number"), apply=_has_length),
        _predicate("is_null", _is_null),
        _predicate("is_not_null", _is_not_null),
        _predicate("is_number", _is(int, float)),
        _predicate("is_string", _is(str)),
        _predicate("is_bool", _is(bool)),
        _predicate("is_array", _is_array),
        _predicate("is_object", _is(Mapping)),
    )
}
"""Every function, by name, in the order of the documentation."""

TEXT_FUNCTIONS: Final = frozenset({"starts_with", "ends_with", "matches"})
"""Functions whose second argument is a text even if it looks like a number."""
