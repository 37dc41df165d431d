"""JSONPath, exactly as RFC 9535 has it, through a library that is imported when it is used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from attrs import field, frozen

from anabranch.values import ConfigError, Json, Location, Problem

if TYPE_CHECKING:
    import jsonpath

_EXPECTED: Final = "a JSONPath of RFC 9535, such as `$.items[*]`"


@frozen
class JsonPath:
    """A query that was found to be well-formed when it was made.

    Attributes:
        text: the query; blank is `$`, the whole document.

    Raises:
        ConfigError: not a JSONPath; with the column.

    >>> JsonPath("$..name").find_all({"name": "a", "in": [{"name": "b"}]})
    ['a', 'b']
    """

    text: str
    _query: jsonpath.JSONPath | jsonpath.CompoundJSONPath = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_query", _compile(self.text))

    def find_all(self, document: Json) -> list[Json]:
        """Every match, in the order of the document.

        Raises:
            ConfigError: the document is nested more deeply than the query can follow.
        """
        # The library takes a string for the text of a document.
        whole: Any = json.dumps(document) if isinstance(document, str) else document
        try:
            return cast("list[Json]", self._query.findall(whole))
        except RecursionError:
            raise ConfigError.of(
                "too-deep", "the document is nested too deeply for this JSONPath", value=self.text
            ) from None


def _compile(text: str) -> jsonpath.JSONPath | jsonpath.CompoundJSONPath:
    import jsonpath

    try:
        return jsonpath.JSONPathEnvironment(strict=True).compile(text if text.strip() else "$")
    except jsonpath.JSONPathError as error:
        raise ConfigError(
            Problem(
                code="bad-json-path",
                message=f"not a JSONPath, {error.message}",
                where=Location(line=1, column=_column(error, text)),
                value=text,
                expected=_EXPECTED,
            )
        ) from None


def _column(error: jsonpath.JSONPathError, text: str) -> int:
    """Where the library stopped; it counts from 0, and the end is -1 to it."""
    return len(text) + 1 if error.token is None or error.token.index < 0 else error.token.index + 1


def select_items(document: Json, path: JsonPath | None = None) -> Sequence[Json]:
    """The items of a document.

    Without a path: the elements of an array; anything else is the one item.
    With a path: its matches; but if there is exactly one and that is an array, its elements.

    >>> select_items({"items": [1, 2]}, JsonPath("$.items"))
    [1, 2]
    >>> select_items({"a": 1})
    [{'a': 1}]
    """
    found = [document] if path is None else path.find_all(document)
    if len(found) == 1 and isinstance(only := found[0], Sequence) and not isinstance(only, str):
        return only
    return found
