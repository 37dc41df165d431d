from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from anabranch.planning.json_path import JsonPath, select_items
from anabranch.testing.strategies.values import json_values, texts
from anabranch.values import ConfigError, Json

PIECES = ["$", "..", ".", "[", "]", "*", "?", "@", "(", ")", "'", '"', "a", "0", "-1", ":", ",",
          "==", "<", "&&", "!", "length", "match", "value", "\\", "u", " ", "1e400", "null"]  # fmt: skip
almost_queries = st.lists(st.sampled_from(PIECES), max_size=12).map(lambda p: "$" + "".join(p))


@given(texts() | almost_queries, json_values())
def test_any_text_is_a_query_or_refused_with_its_place(text: str, document: Json) -> None:
    try:
        query = JsonPath(text)
    except ConfigError as error:
        column = error.problems[0].where.column or 0
        assert 1 <= column <= len(text) + 1
        return
    with suppress(ConfigError):
        assert query.find_all(document) == query.find_all(document)


@given(json_values())
def test_the_whole_document_is_its_only_match(document: Json) -> None:
    assert [document] == JsonPath("$").find_all(document)


@given(st.lists(json_values(), max_size=4))
def test_an_array_and_its_elements_select_the_same_items(document: list[Json]) -> None:
    whole, path = select_items(document), JsonPath("$")
    assert list(whole) == list(select_items(document, path))
