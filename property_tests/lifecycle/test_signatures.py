"""Failures are alike if only that differs which varies from item to item."""

from __future__ import annotations

from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from anabranch.lifecycle import CommandEnded, by_signature, failure_signature
from anabranch.values import Masked

words = st.text("ghijklmnopqrstuvwxyz", min_size=1, max_size=8)
names = st.text("abcxyz_-", min_size=1, max_size=6)
varying = st.one_of(
    st.lists(names, min_size=2, max_size=4).map("/".join),
    names.map(lambda name: f"/tmp/{name}.c"),
    names.filter(lambda name: name[0].isalpha()).map(lambda name: f"{name}.py"),
    st.integers(0, 10**6).map(str),
    st.floats(0, 99, allow_subnormal=False).map(lambda number: f"{number:.3f}"),
    st.text("0123456789abcdef", min_size=7, max_size=40),
)


@st.composite
def two_texts(draw: st.DrawFn) -> tuple[str, str]:
    """The same words around other values."""
    kept = draw(st.lists(words, min_size=1, max_size=5))
    pairs = [(draw(varying), draw(varying)) for _ in kept]
    return (
        " ".join(f"{word} {one}" for word, (one, _) in zip(kept, pairs, strict=True)),
        " ".join(f"{word}  {two}" for word, (_, two) in zip(kept, pairs, strict=True)),
    )


def ended(code: int | None, tail: str) -> CommandEnded:
    return CommandEnded(subject="s", exit_code=code, fault="exit" if code else "timeout", tail=tail)


@given(two_texts(), two_texts(), st.none() | st.integers(1, 3))
def test_what_varies_from_item_to_item_makes_no_difference(
    messages: tuple[str, str], tails: tuple[str, str], code: int | None
) -> None:
    one, two = (
        failure_signature("step[0]", Masked(message), ended(code, f"{message}\n{tail}\n"))
        for message, tail in zip(messages, tails, strict=True)
    )
    assert one == two


@given(two_texts(), st.lists(words, min_size=2, max_size=2, unique=True))
def test_what_does_not_vary_makes_one(texts: tuple[str, str], others: list[str]) -> None:
    text = Masked(texts[0])
    for pair in (
        [failure_signature(at, text) for at in others],
        [failure_signature("", Masked(f"{text} {other}")) for other in others],
        [failure_signature("", text, ended(1, f"{text}\n{other}\n")) for other in others],
        [failure_signature("", text, ended(code, text)) for code in (1, 2)],
        [failure_signature("", text, ended(code, text)) for code in (None, 2)],
        [failure_signature("", text, end) for end in (None, ended(None, f"{others[0]} {text}"))],
    ):
        assert pair[0] != pair[1]


@given(two_texts())
def test_what_the_error_says_already_makes_none(texts: tuple[str, str]) -> None:
    message = Masked(f"it failed: {texts[0]}")
    assert failure_signature("", message) == failure_signature("", message, ended(None, texts[1]))


@frozen
class Signed:
    signature: str
    number: int


@given(st.lists(st.sampled_from("abc")))
def test_those_that_are_alike_are_together_the_largest_group_first(signatures: list[str]) -> None:
    failures = [Signed(signature, number) for number, signature in enumerate(signatures)]
    groups = by_signature(failures)
    for signature, group in groups.items():
        assert [each for each in failures if each.signature == signature] == list(group)
    assert len(failures) == sum(map(len, groups.values()))
    sizes = [(-len(group), group[0].number) for group in groups.values()]
    assert sorted(sizes) == sizes
