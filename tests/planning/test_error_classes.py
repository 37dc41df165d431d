from __future__ import annotations

import pytest

from anabranch.planning.error_classes import ErrorClass, ErrorMatcher, ErrorPattern, matches_any
from anabranch.values import ConfigError
from tests.cases import Case, table


@pytest.mark.parametrize("case", table("error_match"))
def test_errors_are_of_the_classes_of_the_table(case: Case) -> None:
    given = case.given
    matcher: ErrorMatcher = (
        ErrorPattern(given["p"]) if given["m"] == "pattern" else ErrorClass(given["m"])
    )
    assert case.expected["r"] is matcher.matches(given["e"])


@pytest.mark.parametrize("text", ["1500 files", "port 5030", "line 14291", "id 50299"])
def test_a_status_code_inside_a_longer_number_is_no_status_code(text: str) -> None:
    assert [] == [name for name in ErrorClass if name.matches(text)]


def test_a_pattern_that_is_no_regular_expression_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"not a regular expression, missing \)"):
        ErrorPattern("(ECONN")


def test_equal_patterns_are_equal() -> None:
    assert ErrorPattern("a+") == ErrorPattern("a+")


def test_an_error_is_of_any_class_if_it_is_of_one() -> None:
    matchers: list[ErrorMatcher] = [ErrorClass.TIMEOUT, ErrorPattern("^fatal")]
    assert [True, True, False] == [
        matches_any(text, matchers) for text in ("timed out", "fatal: x", "not fatal")
    ]
