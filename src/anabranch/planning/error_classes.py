"""Which failures are of a kind, judged by their text: what `retry_on` names.

Text is all that a command leaves behind. The classes look for the words and status codes that
tools print, in any case; a code counts only as a number of its own (`503`, not `15030`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, TypeAlias

from attrs import field, frozen

from anabranch.values import ConfigError, Problem


class ErrorClass(StrEnum):
    """The classes that have a name.

    >>> ErrorClass.RATE_LIMIT.matches("HTTP 429: too many requests")
    True
    """

    NETWORK = "network"
    TIMEOUT = "timeout"
    SERVER_ERROR = "server_error"
    RATE_LIMIT = "rate_limit"

    def matches(self, text: str) -> bool:
        """Whether an error with this text is of this class."""
        return _SIGNS[self].search(text) is not None


_SIGNS: Final = {
    name: re.compile(signs, re.IGNORECASE)
    for name, signs in {
        ErrorClass.NETWORK: r"network|connection|refused|unreachable",
        ErrorClass.TIMEOUT: r"timeout|timed out",
        ErrorClass.SERVER_ERROR: r"(?<!\d)50[0234](?!\d)|server error",
        ErrorClass.RATE_LIMIT: r"(?<!\d)429(?!\d)|rate limit|too many requests",
    }.items()
}


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ConfigError(
            Problem(
                code="bad-pattern",
                message=f"not a regular expression, {error}",
                value=pattern,
                expected="a regular expression of Python",
            )
        ) from None


@frozen
class ErrorPattern:
    """The class of errors in whose text a regular expression is found; case counts.

    >>> ErrorPattern("ECONN(RESET|ABORTED)").matches("read ECONNRESET")
    True
    """

    regex: re.Pattern[str] = field(converter=_compiled)

    def matches(self, text: str) -> bool:
        """Whether the expression is found in the text."""
        return self.regex.search(text) is not None


ErrorMatcher: TypeAlias = ErrorClass | ErrorPattern
"""A class of errors, by name or by pattern."""


def matches_any(text: str, matchers: Iterable[ErrorMatcher]) -> bool:
    """Whether an error is of one of the classes at least.

    >>> matches_any("exit code 1", [ErrorClass.NETWORK, ErrorClass.TIMEOUT])
    False
    """
    return any(matcher.matches(text) for matcher in matchers)
