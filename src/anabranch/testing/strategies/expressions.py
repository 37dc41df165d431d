"""Strategies for conditions, templates, and texts that would like to be run."""

from __future__ import annotations

from functools import cache
from typing import Final

from hypothesis import strategies as st

from anabranch.expressions import Condition, FieldPath, Template, parse_template
from anabranch.expressions.functions import FUNCTIONS
from anabranch.expressions.tree import (
    And,
    Call,
    Compare,
    Comparison,
    Exists,
    Length,
    Literal,
    Membership,
    Node,
    Not,
    Operand,
    Or,
    Scalar,
    Truthy,
)
from anabranch.testing.strategies.values import NASTY_TEXTS, field_names, numbers, texts

# --- conditions ----------------------------------------------------------------------------------


@cache
def field_paths() -> st.SearchStrategy[FieldPath]:
    """Paths of up to three keys, mostly the names that `json_items` uses."""
    keys = st.one_of(field_names(), field_names(), st.integers(-3, 3))
    found = st.lists(keys, max_size=3).map(tuple)
    plain, rooted = found.map(FieldPath), found.map(lambda keys: FieldPath(keys, root="item"))
    return st.one_of(plain, plain, plain, rooted)


@cache
def scalars() -> st.SearchStrategy[Scalar]:
    """What a literal can be."""
    return st.one_of(st.none(), st.booleans(), numbers(), texts())


@cache
def literals() -> st.SearchStrategy[Literal]:
    """Scalars, and lists of them."""
    lists = st.lists(scalars(), max_size=4).map(tuple)
    return st.one_of(scalars(), scalars(), lists).map(Literal)


@cache
def operands() -> st.SearchStrategy[Operand]:
    """Paths, literals, lengths and questions of existence."""
    paths = field_paths()
    return st.one_of(paths, literals(), paths.map(Length), _named_paths().map(Exists))


@cache
def _named_paths() -> st.SearchStrategy[FieldPath]:
    return field_paths().filter(lambda path: bool(path.names))


@st.composite
def _predicates(draw: st.DrawFn) -> Node:
    """One of the predicates; a strategy that Hypothesis does not try to print."""
    return draw(_all_predicates())


@cache
def _all_predicates() -> st.SearchStrategy[Node]:
    paths, operators = field_paths(), st.sampled_from(Comparison)
    lists = st.lists(scalars(), max_size=4).map(lambda found: Literal(tuple(found)))
    alone = st.one_of(paths, literals(), _named_paths().map(Exists))
    return st.one_of(
        alone.map(Truthy),
        st.builds(Compare, paths, operators, literals()),
        st.builds(Compare, operands(), operators, operands()),
        st.builds(Membership, operands(), st.one_of(lists, lists, paths)),
        _calls(),
    )


def _calls() -> st.SearchStrategy[Node]:
    paths = field_paths()
    type_tests = st.sampled_from([name for name in FUNCTIONS if name.startswith("is_")])
    arguments: dict[str, st.SearchStrategy[Scalar]] = {
        "starts_with": texts(),
        "ends_with": texts(),
        "contains": scalars(),
        "matches": st.sampled_from([r"\.md$", "^a", "[0-9]+", "it's", ""]),
        "length": st.integers(0, 4),
    }
    return st.one_of(
        st.builds(Call, type_tests, st.tuples(paths)),
        *(
            st.builds(Call, st.just(name), st.tuples(paths, found.map(Literal)))
            for name, found in arguments.items()
        ),
    )


@cache
def condition_trees() -> st.SearchStrategy[Node]:
    """Trees of conditions, every kind of node, nested a few levels."""
    return st.recursive(
        _predicates(),
        lambda inner: st.one_of(
            inner.map(Not),
            st.lists(inner, min_size=2, max_size=3).map(tuple).map(And),
            st.lists(inner, min_size=2, max_size=3).map(tuple).map(Or),
        ),
        max_leaves=6,
    )


@cache
def conditions() -> st.SearchStrategy[Condition]:
    """Conditions; the tree comes first, `str` of one is a text that parses to it."""
    return condition_trees().map(Condition)


# --- templates -----------------------------------------------------------------------------------


@cache
def references() -> st.SearchStrategy[str]:
    """The texts of references: paths, filters, defaults, both notations."""
    paths = _named_paths().map(str)
    filters = st.lists(
        st.sampled_from([":json", ":lines", ":csv", ":*.md", ":src/**"]), max_size=2
    ).map("".join)
    defaults = st.sampled_from(["", "", ":-", ":-none", ":-a b", ":-${b}", ':-{"k": 1}'])
    inner = st.tuples(paths, filters, defaults).map("".join)
    return st.one_of(
        inner.map(lambda text: f"${{{text}}}"), inner.map(lambda text: f"{{{{ {text} }}}}")
    )


@cache
def template_texts() -> st.SearchStrategy[str]:
    """Texts with references, and with what only looks like one."""
    lookalikes = st.sampled_from(["$", "$$", "$${", "${", "}", "{{", "}}", "$1", "$a", "${a", ":-"])
    return st.lists(st.one_of(texts(), lookalikes, references()), max_size=6).map("".join)


def templates(*, shell: bool = False) -> st.SearchStrategy[Template]:
    """Templates, read from `template_texts`."""
    return template_texts().map(lambda text: parse_template(text, shell=shell))


# --- texts that would like to be run -------------------------------------------------------------

CANARY: Final = "pwned"
"""The file that appears in the working directory if a shell runs a hostile text."""

_ATTACKS: Final = (
    "$(: >pwned)",
    "`: >pwned`",
    ";: >pwned;",
    "\n: >pwned\n",
    "&: >pwned&",
    "|: >pwned|",
    "';: >pwned;'",
    '";: >pwned;"',
    ");: >pwned;(",
    "};: >pwned;{",
    "))\n: >pwned\n",
    ";;esac;: >pwned;",
    "\nEOF\n: >pwned\n",
    "a[$(: >pwned)]",
    "x=$(: >pwned)",
    "${x:=$(: >pwned)}",
    "\\\n: >pwned\n",
    "#\n: >pwned\n",
    ">pwned",
    "<(: >pwned)",
    "$((a[$(: >pwned)]))",
)


@cache
def hostile_texts() -> st.SearchStrategy[str]:
    """Texts without NUL that try every way out of a shell's quotes; run, they leave `CANARY`."""
    pieces = st.sampled_from((*_ATTACKS, *_ATTACKS, *NASTY_TEXTS))
    attacks = st.lists(pieces, min_size=1, max_size=4).map("".join)
    return st.one_of(attacks, attacks, texts()).filter(lambda text: "\0" not in text)
