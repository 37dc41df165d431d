from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anabranch.lifecycle import Held, Masker
from anabranch.testing.strategies.values import texts

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


@given(st.lists(st.from_regex(r"[A-Za-z0-9_.+~-]{1,20}", fullmatch=True), min_size=2, max_size=9))
def test_paths_do_not_turn_into_stars(names: list[str]) -> None:
    path = "/".join(names)
    masker = Masker.of(["test", "src", "main", "no"])
    for text in (f"/{path}", f"./{path}", f"-I/{path}/x", f"SECRET=/{path}", f"{path}/x:1:2"):
        assert text == masker.text(text)


@given(texts())
def test_text_without_credentials_is_left_alone(text: str) -> None:
    assert text == Masker.of([]).text(text)
