from __future__ import annotations

import pytest

from anabranch.values import did_you_mean

KNOWN = ["shell", "script", "max_parallel", "Name"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("shel", "shell"), ("max_paralell", "max_parallel"), ("NAME", "Name"), ("SCRIPTS", "script")],
)
def test_a_name_that_is_nearly_right_is_answered_with_the_right_one(typed: str, meant: str) -> None:
    assert f"did you mean `{meant}`?" == did_you_mean(typed, KNOWN)


def test_a_name_that_is_near_to_nothing_has_no_hint() -> None:
    assert did_you_mean("zzz", KNOWN) is None


def test_the_order_of_the_known_names_does_not_matter() -> None:
    assert did_you_mean("aa", ["ab", "ac"]) == did_you_mean("aa", ["ac", "ab"])


def test_a_thousand_names_are_searched_and_more_are_not() -> None:
    names = [f"step-{at}" for at in range(1000)]
    assert "did you mean `step-7`?" == did_you_mean("step-7", names)
    assert did_you_mean("step-7", [*names, "another"]) is None
