"""Strategies for plain data: texts that break things, JSON values, items."""

from __future__ import annotations

from functools import cache
from typing import Final

from hypothesis import strategies as st

from anabranch.values import Json

NASTY_TEXTS: Final = (
    "",
    " ",
    "0",
    "false",
    "null",
    "-n",
    "--",
    "*",
    "~",
    "a b",
    " a  b ",
    "a\n",
    "\n\n",
    "\t",
    "\r\n",
    "it's",
    'say "x"',
    "''",
    "'\"'\"'",
    "\\",
    "a\\",
    "\\n",
    "$",
    "$$",
    "$HOME",
    "${HOME}",
    "$(id)",
    "`id`",
    "; id",
    "& id",
    "| id",
    "> x",
    "EOF",
    "\nEOF\n",
    "*/*",
    "{a,b}",
    "[a-z]*",
    "!!",
    "#",
    "${item.name}",
    "{{ item }}",
    "a[$(id)]",
    "\x01\x7f",
    "\x81\x88",
    "é",
    "é",
    "日本",
    "😀",
    "\u202e",
    "\ufeff",
)
"""Texts that somebody's code has stumbled over."""


@cache
def texts(*, max_size: int = 40) -> st.SearchStrategy[str]:
    """Any text that a file or a process can hold (no lone surrogates), often a nasty one.

    NUL is among them; where it cannot pass, filter it out.
    """
    anything = st.text(st.characters(codec="utf-8"), max_size=max_size)
    pieces = st.lists(st.sampled_from(NASTY_TEXTS), max_size=4).map("".join)
    return st.one_of(anything, pieces)


@cache
def numbers() -> st.SearchStrategy[int | float]:
    """Numbers of JSON: small, large, integral floats, negative zero; no infinity and no NaN."""
    return st.one_of(
        st.integers(-5, 5),
        st.sampled_from([0, 1, 0.0, -0.0, 1.0, 0.1, 1e16, 2**53, 2**53 + 1, 10**30, -1, 42, 42.0]),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
    )


@cache
def json_scalars() -> st.SearchStrategy[Json]:
    """Null, booleans, numbers and texts; values that are almost equal come together often."""
    return st.one_of(st.none(), st.booleans(), numbers(), texts())


@cache
def json_values(*, max_leaves: int = 8) -> st.SearchStrategy[Json]:
    """Any value of JSON, nested."""
    return st.recursive(
        json_scalars(),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(field_names(), inner, max_size=4)
        ),
        max_leaves=max_leaves,
    )


FIELD_NAMES: Final = ("a", "b", "id", "name", "path", "tags", "score", "nested")
"""The plain field names that `json_items` and conditions draw from, so that they meet."""


@cache
def field_names() -> st.SearchStrategy[str]:
    """Names of fields: mostly a few plain ones, sometimes odd ones (empty, dotted, keywords)."""
    odd = ("", "a.b", "odd key", "not", "in", "true", "item", "exists", "0", "a-b", "it's", "é")
    return st.one_of(
        st.sampled_from(FIELD_NAMES), st.sampled_from(FIELD_NAMES), st.sampled_from(odd), texts()
    )


@cache
def json_items() -> st.SearchStrategy[dict[str, Json]]:
    """Items of a map phase: objects whose fields are missing, null or of any type."""
    return st.dictionaries(field_names(), json_values(max_leaves=4), max_size=6)
