from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from attrs import evolve, fields
from hypothesis import given
from hypothesis import strategies as st

from anabranch.lifecycle import Held, Masker, Payload
from anabranch.lifecycle.masking import NAMES
from anabranch.testing.strategies.lifecycle import payloads
from anabranch.testing.strategies.values import texts
from anabranch.values import in_one_line, last_of, shortened

USUAL = [
    "ghp_" + "aB3" * 12,
    "https://me:hunter2@example.org/",
    "DB_PASSWORD=hunter2",
    '{"token": "hunter22"}',
    "-----BEGIN PRIVATE KEY-----\n",
    "-----BEGIN RSA PRIVATE KEY-----\r\n",
    "Proc-Type: 4,ENCRYPTED\n",
    "MIIEabcd\n",
    "-----END PRIVATE KEY-----",
]

secrets = st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=1, max_size=30)
declared = st.lists(secrets | st.just("multi line\nsecret of mine"), max_size=3)


@st.composite
def documents(draw: st.DrawFn, values: list[str]) -> str:
    """Texts in which declared values, usual credentials and line ends come together often."""
    pieces = st.sampled_from([*values, *USUAL, "\n", "\r\n", " ", "a", "/"]) | texts(max_size=9)
    return "".join(draw(st.lists(pieces, max_size=12)))


@given(st.data())
def test_a_stream_is_masked_alike_however_it_is_cut(data: st.DataObject) -> None:
    values = data.draw(declared)
    masker = Masker.of(values)
    text = data.draw(documents(values)).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    held, shown = Held(), b""
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        out, held = masker.feed(held, text[start:end])
        shown += out
    assert masker.data(text) == shown + masker.flush(held)


@given(st.data())
def test_no_declared_value_survives(data: st.DataObject) -> None:
    values = data.draw(declared)
    masked = Masker.of(values).text(data.draw(documents(values)))
    assert [] == [value for value in values if len(value.encode()) >= 8 and value in masked]


DISGUISES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in JSON": json.dumps,
    "in JSON whose letters are as they are": partial(json.dumps, ensure_ascii=False),
    "in a shell's quotes": lambda value: value.replace("'", "'\\''"),
    "in a URL": partial(quote, safe=""),
    "in base64": lambda value: b64encode(value.encode()).decode(),
    "in base64 without its end": lambda value: b64encode(value.encode()).decode().rstrip("="),
}


@pytest.mark.parametrize("name", DISGUISES)
@given(st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=8, max_size=30))
def test_no_declared_value_survives_in_a_disguise(name: str, secret: str) -> None:
    shown = DISGUISES[name](secret).strip('"')
    assert shown not in Masker.of([secret]).text(f"<{DISGUISES[name](secret)}>")


@given(st.lists(st.from_regex(r"[A-Za-z0-9_.+~-]{1,20}", fullmatch=True), min_size=2, max_size=9))
def test_paths_do_not_turn_into_stars(names: list[str]) -> None:
    path = "/".join(names)
    masker = Masker.of(["test", "src", "main", "no"])
    for text in (f"/{path}", f"./{path}", f"-I/{path}/x", f"SECRET=/{path}", f"{path}/x:1:2"):
        assert text == masker.text(text)


@given(texts())
def test_text_without_credentials_is_left_alone(text: str) -> None:
    assert text == Masker.of([]).text(text)


STRINGS = {"str", "str | None"}

apart = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ -/\n", min_size=8, max_size=60).filter(
    lambda text: len(text.strip()) >= 8
)
"""Secrets of which no character is in the texts around them, but for what separates words."""

around = st.text("abcdefgh .\n", max_size=200)


def parts_of(secret: str, text: str) -> list[str]:
    """What of a secret is in a text: every part of it that is four characters long."""
    parts = {secret[at : at + 4] for at in range(len(secret) - 3)}
    return sorted(part for part in parts if part.strip() == part and part in text)


@given(apart, around, around, st.integers(1, 300))
def test_no_part_of_a_secret_is_left_wherever_a_masked_text_is_cut(
    secret: str, before: str, after: str, width: int
) -> None:
    masked = Masker.of([secret]).text(before + secret + after)
    for cut in (shortened, in_one_line, last_of):
        assert [] == parts_of(secret, cut(masked, width))


@given(payloads(), apart, around)
def test_whatever_an_event_says_is_masked_and_names_are_not(
    payload: Payload, secret: str, text: str
) -> None:
    whole: Any = payload
    texts_of = [field.name for field in fields(type(payload)) if str(field.type) in STRINGS]
    told = evolve(whole, **dict.fromkeys(texts_of, text + secret))
    masked = Masker.of([secret]).payload(told)
    for name in texts_of:
        assert (name in NAMES) == (getattr(masked, name) == text + secret)


@given(st.data())
def test_texts_and_bytes_are_masked_alike(data: st.DataObject) -> None:
    values = data.draw(declared)
    masker = Masker.of(values)
    text = data.draw(documents(values))
    assert masker.data(text.encode()) == masker.text(text).encode()


@given(
    st.sampled_from(["password", "passwd", "secret", "token", "api_key", "apikey", "api-key"]),
    st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_the_name_of_a_quoted_secret_is_known_in_any_case(name: str, upper: list[bool]) -> None:
    mixed = "".join(c.upper() if up else c for c, up in zip(name, upper, strict=False))
    assert f'{{"my-{mixed}": "***"}}' == Masker().text(f'{{"my-{mixed}": "hunter22"}}')
