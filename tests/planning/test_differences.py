from __future__ import annotations

import pytest

from anabranch.planning.differences import differences
from anabranch.values import Json

A, B, C = ({"name": name, "timeout": "1s"} for name in "abc")


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (1, 1.0, []),
        (1, True, ["~ : 1 -> true"]),
        ({"slots": 2}, {"slots": 4}, ["~ slots: 2 -> 4"]),
        ({"a": 1}, {"b": 1}, ["- a: 1", "+ b: 1"]),
        ({"x": {"y": None}}, {"x": {}}, ["- x.y: null"]),
        ([[0], [1, 2]], [[0], [1]], ["- [1][1]: 2"]),
        ({"steps": [A, B]}, {"steps": [C, A, B]}, ['+ steps[c]: {"name": "c", "timeout": "1s"}']),
        ({"steps": [A, B]}, {"steps": [B]}, ['- steps[a]: {"name": "a", "timeout": "1s"}']),
        ([A, B], [A, {**B, "timeout": "2s"}], ['~ [b].timeout: "1s" -> "2s"']),
        ([A, B, C], [C, A, B], ["> [c]: 2 -> 0"]),
        ([A, A], [A], ['- [1]: {"name": "a", "timeout": "1s"}']),
        ([{"id": 1, "item": "é"}], [{"id": 1, "item": "e"}], ['~ [1].item: "é" -> "e"']),
        ([], [A], ['+ [a]: {"name": "a", "timeout": "1s"}']),
    ],
)
def test_a_change_is_one_readable_line(before: Json, after: Json, shown: list[str]) -> None:
    assert shown == [str(change) for change in differences(before, after)]
