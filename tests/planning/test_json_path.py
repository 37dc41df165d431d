from __future__ import annotations

import pytest

from anabranch.planning.json_path import JsonPath, select_items
from anabranch.values import ConfigError, Json
from tests.cases import Case, table


@pytest.mark.parametrize("case", table("jsonpath"))
def test_matches_are_those_of_the_table(case: Case) -> None:
    text = case.given["p"] if "p" in case.given else case.given["path"]
    if "error" in case.expected:
        with pytest.raises(ConfigError):
            JsonPath(text)
    else:
        assert case.expected["r"] == JsonPath(text).find_all(case.given["d"])


def test_the_elements_of_the_only_match_are_the_items_if_it_is_an_array() -> None:
    document: Json = {"items": [1, [2]], "other": {"items": [3]}}
    assert [1, [2]] == select_items(document, JsonPath("$.items"))
    assert [[1, [2]], [3]] == select_items(document, JsonPath("$..items"))
    assert [{"items": [3]}] == select_items(document, JsonPath("$.other"))


def test_without_a_path_an_array_is_its_elements_and_all_else_is_one_item() -> None:
    documents: list[Json] = [[1, 2], {"a": 1}, "text", 5, None]
    expected = [[1, 2], [{"a": 1}], ["text"], [5], [None]]
    assert expected == [select_items(document) for document in documents]


def test_a_string_is_a_document_and_not_the_text_of_one() -> None:
    assert ["[1, 2]"] == JsonPath("$").find_all("[1, 2]")


@pytest.mark.parametrize(
    ("text", "column"),
    [("items", 1), ("$.items[?(@.p > 4]", 10), ("$[?nope(@)]", 4), ("$.a ", 4), ("$[", 3)],
)
def test_what_is_no_json_path_is_refused_with_its_column(text: str, column: int) -> None:
    with pytest.raises(ConfigError) as caught:
        JsonPath(text)
    assert (text, column) == (caught.value.problems[0].value, caught.value.problems[0].where.column)


def test_a_document_too_deep_for_a_query_is_refused() -> None:
    deep: Json = "end"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ConfigError, match="nested too deeply"):
        JsonPath("$..x").find_all(deep)


def test_equal_queries_are_equal() -> None:
    assert (JsonPath("$.a"), hash(JsonPath("$.a"))) == (JsonPath("$.a"), hash(JsonPath("$.a")))
