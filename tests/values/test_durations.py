from __future__ import annotations

from datetime import timedelta

import pytest

from anabranch.values import ConfigError, format_duration, parse_duration
from tests.cases import Case, table


@pytest.mark.parametrize("case", table("format_duration"))
def test_a_duration_is_written_as_the_table_says(case: Case) -> None:
    assert case.expected["r"] == format_duration(timedelta(seconds=case.given["s"]))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("1m 30s", 90), ("1h30m", 5400), (2, 2), ("2", 2), (0.25, 0.25)],
)
def test_a_duration_is_read_from_text_or_seconds(text: str | float, seconds: float) -> None:
    assert timedelta(seconds=seconds) == parse_duration(text)


@pytest.mark.parametrize("text", ["", "soon", "1x", "-5s", -1, True, "nan", "inf", "1e400"])
def test_what_is_no_duration_is_refused_with_the_value(text: str | float) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_duration(text)
    assert repr(text) == caught.value.problems[0].value
