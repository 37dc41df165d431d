"""The case tables of this room. Where a row and the rule disagree, the rule wins."""

from __future__ import annotations

from typing import Final

import pytest

from anabranch.expressions import parse_condition, parse_template
from anabranch.values import ConfigError
from tests.cases import Case, table

DISAGREE: Final = {
    # An array of scalars is joined with ", ", whatever the scalars are.
    "interpolate-019": "Data: string, 123, true",
}


def refused(case: Case) -> bool:
    return "error" in case.expected or "parse_error" in case.expected


@pytest.mark.parametrize("case", table("filter"))
def test_a_filter_matches_the_items_that_the_table_says(case: Case) -> None:
    if refused(case):
        with pytest.raises(ConfigError):
            parse_condition(case.given["e"])
    else:
        condition = parse_condition(case.given["e"])
        assert case.expected["r"] == [condition.matches(item) for item in case.given["items"]]


@pytest.mark.parametrize("case", table("when_expr"))
def test_a_condition_holds_in_the_scopes_that_the_table_says(case: Case) -> None:
    if refused(case):
        with pytest.raises(ConfigError):
            parse_condition(case.given["e"])
    else:
        assert case.expected["r"] == parse_condition(case.given["e"]).holds(case.given["vars"])


@pytest.mark.parametrize("case", table("interpolate"))
def test_a_template_renders_as_the_table_says(case: Case) -> None:
    template = parse_template(case.given["t"])
    if refused(case):
        with pytest.raises(ConfigError):
            template.render(case.given["vars"], strict=case.given["strict"])
    else:
        expected = DISAGREE.get(case.id, case.expected["r"])
        assert expected == template.render(case.given["vars"], strict=case.given["strict"])
